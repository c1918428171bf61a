"""The long-running processes. Each imports only its own part, which saves memory."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final


def _api() -> None:
    from app.main import serve
    from infra.settings import ApiSettings, load_settings

    serve(load_settings(ApiSettings))


def _worker() -> None:
    from workers.main import run

    run()


def _flower() -> None:
    from infra.flower import run

    run()


SERVERS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType({"api": _api, "worker": _worker, "flower": _flower})
"""The functions that run them, by command name."""
