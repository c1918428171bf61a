"""The store as the commands use it: opened from the settings, closed when the command ends."""

import asyncio
import getpass
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from rich.console import Console

from core.audit import AuditEntry, Proof
from infra.clock import now
from infra.settings import SharedSettings, load
from infra.store.base import Store
from infra.store.redis.store import RedisStore

_WIDE: Final = 400
"""Columns of an output that no person looks at directly: nothing is cut."""
OUT: Final = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
"""Where answers go."""

R = TypeVar("R")


def open_store() -> Store:
    """Return the store that the settings name."""
    settings = load(SharedSettings)
    return RedisStore.at(settings.redis_url, settings.store_options)


@asynccontextmanager
async def opened() -> AsyncIterator[Store]:
    """Give a command the store, once it proved to be one that remembers."""
    store = open_store()
    try:
        await store.check()
        yield store
    finally:
        await store.aclose()


def run(use: Callable[[Store], Coroutine[Any, Any, R]]) -> R:
    """Run what a command does with the store, and return what it returns."""

    async def command() -> R:
        async with opened() as store:
            return await use(store)

    return asyncio.run(command())


async def audited(store: Store, words: str, fields: Mapping[str, str]) -> None:
    """Keep in the audit that a command changed something.

    Args:
        store: the store that was changed.
        words: the command and what it was about, without any secret.
        fields: what else it named.
    """
    await store.audit.append(
        AuditEntry(
            at=now(),
            user=_operator(),
            proof=Proof.LOCAL,
            access_key=None,
            source=socket.gethostname(),
            method="COMMAND",
            path=words,
            fields=fields,
        )
    )


def _operator() -> str:
    """Return the operating system's user who runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return "unknown"
