"""The API for the current command: the address is resolved once, then the command sends its requests."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

import typer

from cli import output
from cli.remote import client
from cli.remote.address import Address, resolve
from cli.remote.client import Client
from cli.remote.sources import Flags
from infra.settings import ClientSettings, load_settings

R = TypeVar("R")


class Remote:
    """The API for one command.

    Args:
        flags: the options on the command line that describe the API.
    """

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._address: Address | None = None

    @property
    def address(self) -> Address:
        """The address and the credentials; a person is asked for a password at most once.

        Raises:
            FleetError: as `cli.remote.address.resolve`.
        """
        if self._address is None:
            ask = _ask_password if output.is_interactive() else None
            self._address = resolve(self._flags, load_settings(ClientSettings), ask)
        return self._address

    def run(self, use: Callable[[Client], Coroutine[Any, Any, R]]) -> R:
        """Run a command's function with a client, and return its result."""
        address = self.address

        async def command() -> R:
            async with client.open_http(address) as http:
                return await use(Client(http))

        return asyncio.run(command())


def _ask_password(user: str) -> str:
    password: str = typer.prompt(f"Password of {user}", hide_input=True, err=True)
    return password


_CURRENT: ContextVar[Remote] = ContextVar("remote")


def configure(flags: Flags) -> None:
    """Set the API for the command that runs now."""
    _CURRENT.set(Remote(flags))


def run(use: Callable[[Client], Coroutine[Any, Any, R]]) -> R:
    """Run the current command's function with a client, and return its result. Raises as `Client.ask` does."""
    return _CURRENT.get().run(use)
