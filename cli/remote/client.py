"""The one speaker of the API: asks, unwraps the envelope, and says in a sentence what went wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson

from cli import output
from cli.exits import ApiDenied, ApiRefused, ApiUnreachable
from cli.remote.address import Address
from core.errors import FleetError

PREFIX: Final = "/api/v2"
PAGE: Final = 2000
"""Entries of a page where all are wanted: as many as the API gives at a time."""
_TIMES: Final = httpx.Timeout(60, connect=10)
"""Seconds that an answer, and a connection, may take."""
_DENIED: Final = frozenset({401, 403})
_LATER: Final = frozenset({429, 502, 503, 504})
_TOO_MANY: Final = 429
_LONGEST_WAIT: Final = 15
"""Seconds until a window of the API's limits is over: the shortest takes ten."""
_TRIES: Final = 6
_BRAKE: Final = "Fleet-Brake"
"""The header of replies about tasks while the fleet's brake is on."""
_SHOWN: Final = 100
_FIRST_ERROR: Final = 300


def open_http(address: Address) -> httpx.AsyncClient:
    """Return the HTTP client of an address."""
    return httpx.AsyncClient(base_url=f"{address.url}{PREFIX}", auth=address.auth, timeout=_TIMES)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    data: Any
    """The `data` of the reply; None where it has none."""
    headers: Mapping[str, str]


class Client:
    """Asks the API. A request that was one too many, and therefore not done, is sent again when its time has come.

    Args:
        http: the client; its base address ends in /api/v2.
        sleep: waits so many seconds.
    """

    def __init__(self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._http = http
        self._sleep = sleep
        self._braked = False

    @property
    def http(self) -> httpx.AsyncClient:
        """What requests are sent with, for streams."""
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

    async def everything(self, path: str) -> list[dict[str, Any]]:
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
            ApiRefused: the API did not do it.
            ApiDenied: it does not know who asks, or they may not.
            ApiUnreachable: it does not answer, or cannot serve at the moment.
        """
        for wait in range(_TRIES):
            try:
                reply = await self._http.request(method, path, **request)
            except httpx.TransportError as error:
                raise unreachable(self._http, error, changing=method != "GET") from None
            after = _seconds(reply)
            if after is None or wait == _TRIES - 1:
                break
            await self._sleep(after)
        self._tell_brake(reply)
        return Answer(self.envelope(reply).get("data"), reply.headers)

    def _tell_brake(self, reply: httpx.Response) -> None:
        """Tell a person, once, why tasks do not go on."""
        if _BRAKE in reply.headers and not self._braked:
            self._braked = True
            output.note("The fleet's brake is on: nothing new begins until it is released (`ocpfleet brake status`).")

    def envelope(self, reply: httpx.Response) -> dict[str, Any]:
        """Return the envelope of a reply that was read. Raises as `ask` does."""
        try:
            document = orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            document = None
        if reply.status_code >= _FIRST_ERROR or not isinstance(document, dict) or "traceId" not in document:
            raise refusal(reply, document)
        return document

    @asynccontextmanager
    async def streamed(self, method: str, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the pieces of a reply that has no envelope.

        Raises:
            FleetError: as `ask`; also where the reply ends before it is whole.
        """
        try:
            async with self._http.stream(method, path) as reply:
                if reply.status_code >= _FIRST_ERROR:
                    await reply.aread()
                    self.envelope(reply)
                yield reply.aiter_bytes()
        except httpx.TransportError as error:
            raise unreachable(self._http, error, changing=False) from None


def _seconds(reply: httpx.Response) -> int | None:
    """Return for how long to wait before a request is sent again; None where that makes no sense."""
    after = reply.headers.get("Retry-After", "")
    if reply.status_code != _TOO_MANY or not after.isdecimal() or int(after) > _LONGEST_WAIT:
        return None
    return int(after)


def refusal(reply: httpx.Response, document: object) -> FleetError:
    """Return the error that a reply tells: the API's own sentence, with the trace id that finds it in the logs."""
    kind: type[FleetError] = ApiRefused
    if reply.status_code in _DENIED:
        kind = ApiDenied
    elif reply.status_code in _LATER:
        kind = ApiUnreachable
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(error, dict):
        beginning = "a web page" if reply.text.lstrip().startswith("<") else " ".join(reply.text[:_SHOWN].split())
        strange = ApiDenied if kind is ApiDenied else ApiUnreachable
        return strange(
            f"{reply.request.url.copy_with(query=None)} answered {reply.status_code}, and no reply of ocpfleet: "
            f"{beginning or 'nothing'}. See that the address is the API's: --api, OCPFLEET_API_URL or the client file."
        )
    after = reply.headers.get("Retry-After")
    later = f" Try again in {after} s." if after and kind is ApiUnreachable else ""
    return kind(f"{error.get('message')}{later} [trace id {document.get('traceId')}]")


def unreachable(http: httpx.AsyncClient, error: httpx.TransportError, *, changing: bool) -> ApiUnreachable:
    """Return the error of an API that did not answer."""
    url = str(http.base_url).removesuffix("/").removesuffix(PREFIX)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        reason = str(error) or "no connection in time"
        return ApiUnreachable(
            f"Nothing answers at {url} ({reason}). See that the API runs there, or name the right address with "
            "--api, OCPFLEET_API_URL or the client file."
        )
    reason = "it took too long" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
    unknown = " It is not known whether the request was done: look before you repeat it." * changing
    return ApiUnreachable(f"{url} did not answer to the end ({reason}).{unknown or ' Try again.'}")
