"""The store for commands that work on it directly, without the API."""

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from core.audit import AuditEntry, Proof
from infra.clock import now
from infra.settings import SharedSettings, load_settings
from infra.store import Store

R = TypeVar("R")


def open_store() -> Store:
    """Return the store at the address in the settings."""
    settings = load_settings(SharedSettings)
    return Store.at(settings.redis_url, settings.store_options)


@asynccontextmanager
async def connect() -> AsyncIterator[Store]:
    """Open the store for a command and close it afterwards.

    Raises:
        Unavailable: the store does not answer, or may lose what is written to it.
    """
    store = open_store()
    try:
        await store.check()
        yield store
    finally:
        await store.aclose()


def run(use: Callable[[Store], Coroutine[Any, Any, R]]) -> R:
    """Run a command's function on the store, and return its result. Raises as `connect` does."""

    async def command() -> R:
        async with connect() as store:
            return await use(store)

    return asyncio.run(command())


async def record_audit(store: Store, words: str, fields: Mapping[str, str]) -> None:
    """Add an entry about a command to the audit log.

    Args:
        store: the store that the command changed.
        words: the command and its target, without any secret.
        fields: further details, without any secret.
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
    except (OSError, KeyError):  # a container may run under a numeric id that has no name
        return "unknown"
