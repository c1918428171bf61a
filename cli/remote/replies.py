"""Errors for replies that refuse a request, and for requests without a reply."""

from typing import Final

import httpx

from cli.exits import ApiDenied, ApiRefused, ApiUnreachable
from core.errors import FleetError

PREFIX: Final = "/api/v2"
MAX_WAIT: Final = 15
"""Seconds to wait for the end of a rate limit's window before a request is sent again; the shortest window is ten."""
_DENIED: Final = frozenset({401, 403})
_TEMPORARY: Final = frozenset({429, 502, 503, 504})
_TOO_MANY: Final = 429
_MAX_QUOTE: Final = 100
"""Characters of a strange reply that a message quotes."""


def to_error(reply: httpx.Response, document: object) -> FleetError:
    """Return the error for a refused request: the API's sentence with the trace id that finds it in the logs.

    Args:
        reply: the reply, read to its end.
        document: its JSON document; None where it has none.
    """
    kind: type[FleetError] = ApiRefused
    if reply.status_code in _DENIED:
        kind = ApiDenied
    elif reply.status_code in _TEMPORARY:
        kind = ApiUnreachable
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(error, dict):
        return _to_stranger_error(reply, ApiDenied if kind is ApiDenied else ApiUnreachable)
    after = reply.headers.get("Retry-After")
    later = f" Try again in {after} s." if after and kind is ApiUnreachable else ""
    return kind(f"{error.get('message')}{later} [trace id {document.get('traceId')}]")


def _to_stranger_error(reply: httpx.Response, kind: type[FleetError]) -> FleetError:
    beginning = "a web page" if reply.text.lstrip().startswith("<") else " ".join(reply.text[:_MAX_QUOTE].split())
    return kind(
        f"{reply.request.url.copy_with(query=None)} answered {reply.status_code}, but not with a reply of ocpfleet: "
        f"{beginning or 'nothing'}. Check that the address is the API's: --api, OCPFLEET_API_URL or the client file."
    )


def to_unreachable(http: httpx.AsyncClient, error: httpx.TransportError, *, changing: bool) -> ApiUnreachable:
    """Return the error for a request without a complete reply.

    Args:
        http: the client that sent it.
        error: what went wrong.
        changing: whether the request changes something, so that it is unsafe to send it again.
    """
    url = str(http.base_url).removesuffix("/").removesuffix(PREFIX)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        reason = str(error) or "no connection in time"
        return ApiUnreachable(
            f"Nothing answers at {url} ({reason}). Check that the API runs there, or give the right address with "
            "--api, OCPFLEET_API_URL or the client file."
        )
    reason = "it took too long" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
    unknown = " The request may have been carried out: check before you repeat it." * changing
    return ApiUnreachable(f"{url} did not complete its answer ({reason}).{unknown or ' Try again.'}")


def get_retry_delay(reply: httpx.Response) -> int | None:
    """Return the seconds after which a rate-limited request may be sent again; None if it should not be."""
    after = reply.headers.get("Retry-After", "")
    if reply.status_code != _TOO_MANY or not after.isdecimal() or int(after) > MAX_WAIT:
        return None
    return int(after)
