"""The API's client: sends requests, unwraps the reply's envelope, and turns refusals into errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson

from cli import output
from cli.remote.address import Address
from cli.remote.replies import PREFIX, get_retry_delay, to_error, to_unreachable

PAGE: Final = 2000
"""Entries of a page: the API's maximum."""
MAX_TRIES: Final = 6
"""Times that a rate-limited request is sent."""
_TIMEOUT: Final = httpx.Timeout(60, connect=10)
_BRAKE: Final = "Fleet-Brake"
"""The header of replies about tasks while the fleet's brake is on."""
_FIRST_ERROR: Final = 300


def open_http(address: Address) -> httpx.AsyncClient:
    """Return an HTTP client for an address."""
    return httpx.AsyncClient(base_url=f"{address.url}{PREFIX}", auth=address.auth, timeout=_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful reply."""

    data: Any
    """The reply's `data`; None if it has none."""
    headers: Mapping[str, str]


class Client:
    """Sends requests to the API. A request that a rate limit refused was not carried out; it is sent again later.

    Args:
        http: the HTTP client; its base address ends in /api/v2.
        sleep: waits for a number of seconds.
    """

    def __init__(self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._http = http
        self._sleep = sleep
        self._braked = False

    @property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client, for streams."""
        return self._http

    async def get(self, path: str, **params: object) -> Any:
        """Return the `data` of a GET; parameters that are None are left out. Raises as `ask` does."""
        given = {name: str(value) for name, value in params.items() if value is not None}
        return (await self.ask("GET", path, params=given)).data

    async def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a POST. Raises as `ask` does."""
        more = {} if body is None else {"content": orjson.dumps(body)}
        kind = {} if body is None else {"Content-Type": "application/json"}
        return await self.ask("POST", path, headers=kind | dict(headers or {}), **more)

    async def delete(self, path: str) -> None:
        """Send a DELETE. Raises as `ask` does."""
        await self.ask("DELETE", path)

    async def get_all(self, path: str) -> list[dict[str, Any]]:
        """Return the contents of all pages of a list. Raises as `ask` does."""
        contents: list[dict[str, Any]] = []
        while True:
            data = await self.get(path, page=len(contents) // PAGE + 1, size=PAGE)
            contents += data["contents"]
            if len(data["contents"]) < PAGE:
                return contents

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        """Send a request and return its answer.

        Raises:
            ApiRefused: the API refused the request.
            ApiDenied: the API does not accept the credentials, or the user lacks a permission.
            ApiUnreachable: the API does not answer, or cannot serve at the moment.
        """
        for attempt in range(MAX_TRIES):
            try:
                reply = await self._http.request(method, path, **request)
            except httpx.TransportError as error:
                raise to_unreachable(self._http, error, changing=method != "GET") from None
            delay = get_retry_delay(reply)
            if delay is None or attempt == MAX_TRIES - 1:
                break
            await self._sleep(delay)
        self._note_brake(reply)
        return Answer(self.unwrap(reply).get("data"), reply.headers)

    def _note_brake(self, reply: httpx.Response) -> None:
        """Tell a person, once, why tasks do not go on."""
        if _BRAKE in reply.headers and not self._braked:
            self._braked = True
            output.note("The fleet's brake is on: nothing new begins until it is released (`ocpfleet brake status`).")

    def unwrap(self, reply: httpx.Response) -> dict[str, Any]:
        """Return the envelope of a reply that was read to its end. Raises as `ask` does."""
        try:
            document = orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            document = None
        if reply.status_code >= _FIRST_ERROR or not isinstance(document, dict) or "traceId" not in document:
            raise to_error(reply, document)
        return document

    @asynccontextmanager
    async def stream(self, method: str, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send a request and yield the pieces of its reply, which has no envelope.

        Raises:
            FleetError: as `ask`; also if the reply breaks off.
        """
        try:
            async with self._http.stream(method, path) as reply:
                if reply.status_code >= _FIRST_ERROR:
                    await reply.aread()
                    self.unwrap(reply)
                yield reply.aiter_bytes()
        except httpx.TransportError as error:
            raise to_unreachable(self._http, error, changing=False) from None
