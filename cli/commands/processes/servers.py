"""The processes that run until they are stopped. Each imports its own part alone, and so takes no more than that."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final


def _api() -> None:
    from app.main import serve  # noqa: PLC0415 - the API alone needs it
    from infra.settings import ApiSettings, load  # noqa: PLC0415

    serve(load(ApiSettings))


def _worker() -> None:
    from workers.main import run  # noqa: PLC0415 - the worker alone needs it

    run()


def _flower() -> None:
    from infra.flower import run  # noqa: PLC0415 - Flower alone needs it

    run()


SERVERS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType({"api": _api, "worker": _worker, "flower": _flower})
"""By the names of their commands."""
