"""The API as a command uses it: found from flags, environment and file once, and asked as often as needed."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

import typer

from cli import output
from cli.remote import client
from cli.remote.address import Address, Flags, resolve
from cli.remote.client import Client
from infra.settings import ClientSettings, load

R = TypeVar("R")


class Remote:
    """The API, for one command.

    Args:
        flags: what the command line says of it.
    """

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._address: Address | None = None

    @property
    def address(self) -> Address:
        """Where it is and who asks; a password is asked for once.

        Raises:
            FleetError: as `cli.remote.address.resolve`.
        """
        if self._address is None:
            self._address = resolve(self._flags, load(ClientSettings), _ask if output.attended() else None)
        return self._address

    def run(self, use: Callable[[Client], Coroutine[Any, Any, R]]) -> R:
        """Run what a command asks of the API, and return what it returns."""
        address = self.address

        async def command() -> R:
            async with client.open_http(address) as http:
                return await use(Client(http))

        return asyncio.run(command())


def _ask(user: str) -> str:
    password: str = typer.prompt(f"Password of {user}", hide_input=True, err=True)
    return password


_CURRENT: ContextVar[Remote] = ContextVar("remote")


def choose(flags: Flags) -> None:
    """Say which API the command that runs now means."""
    _CURRENT.set(Remote(flags))


def run(use: Callable[[Client], Coroutine[Any, Any, R]]) -> R:
    """Run what the current command asks of the API. Raises as `Client.ask` does."""
    return _CURRENT.get().run(use)
