"""From what went wrong to the reply that says so: the one place where errors become HTTP.

Kinds, codes and shapes are OCP's. One of them surprises: a route that does not exist answers 400, not 404, because 404
means that something which the request names does not exist.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.http.methods import methods_at
from app.http.reasons import reason_of
from app.http.reply import refusal
from app.http.wire import long
from core.errors import (
    Conflict,
    FleetError,
    HostFailed,
    InvalidRequest,
    KeyReused,
    LoginBlocked,
    Misconfigured,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    TooManyRequests,
    Unavailable,
)
from core.text import say

UNEXPECTED: Final = 10010
"""OCP's code for a fault of the server."""
_CHALLENGE: Final = 'Basic realm="ocpfleet", charset="UTF-8"'
_SHOWN: Final = 200
"""Most bytes of a rejected value that a reply repeats."""


class InvalidParameter(InvalidRequest):
    """A parameter of the path or the query that can never be right as it is."""


class UnsupportedMediaType(FleetError):
    """A body that does not say that it is JSON."""


class BodyTooLarge(FleetError):
    """A body that is longer than any right one."""


def install(app: FastAPI) -> None:
    """Make an application answer errors in OCP's envelope."""
    app.add_exception_handler(FleetError, _fleet_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(HTTPException, _http_error)


def unexpected(request: Request, error: Exception) -> Response:
    """Return the reply for a fault of ours: its kind, and the trace id that finds it in the log, nothing more.

    What has a sentence for people is told by it.
    """
    if isinstance(error, FleetError):
        return _refused(request, error)
    sentence = say(
        "An unexpected error on our side ({kind}). The server's log has it under the traceId.",
        kind=type(error).__name__,
    )
    return refusal(request, 500, {"code": UNEXPECTED, "message": sentence})


def error_document(error: FleetError) -> dict[str, object]:
    """Return the `error` of a reply."""
    document: dict[str, object] = {"code": error.code, "message": error.sentence}
    match error:
        case InvalidParameter():
            document["subErrors"] = [_sub_error("parameter", error.field, error.value, error.sentence)]
        case InvalidRequest():
            document["subErrors"] = [_sub_error("body", error.field, error.value, error.sentence)]
        case _:
            pass
    return document


async def _fleet_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, FleetError):
        raise error
    return _refused(request, error)


def _refused(request: Request, error: FleetError) -> Response:
    status, headers = _status(error)
    return refusal(request, status, error_document(error), headers)


_STATUSES: Final[tuple[tuple[type[FleetError], int], ...]] = (
    (NotFound, 404),
    (NotAuthenticated, 401),
    (TooManyRequests, 429),
    (KeyReused, 409),
    (Conflict, 409),
    (NotPermitted, 403),
    (Unavailable, 503),
    (HostFailed, 502),
    (UnsupportedMediaType, 415),
    (BodyTooLarge, 413),
    (Misconfigured, 500),
)
"""The status of each kind of error; 400 for the others."""


def _status(error: FleetError) -> tuple[int, Mapping[str, str]]:
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
    headers = {}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = _CHALLENGE
    if isinstance(error, LoginBlocked | TooManyRequests | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnsupportedMediaType):
        headers["Accept"] = "application/json"
    return status, headers


async def _wrong_parameter(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    if request.method not in methods_at(request):
        return _wrong_method(request)
    faults = [_fault(fault) for fault in error.errors()]
    return refusal(request, 400, {"code": 0, "message": faults[0]["message"], "subErrors": faults})


def _fault(fault: Mapping[str, object]) -> dict[str, object]:
    where = fault["loc"]
    field = str(where[-1]) if isinstance(where, Sequence) else ""
    value, limits = fault.get("input"), fault.get("ctx")
    if fault["type"] == "missing":
        return _sub_error("parameter", field, value, say("{field} is missing.", field=field))
    reason = reason_of(fault["type"], limits, say("not what the parameter takes. /docs says what it takes"))
    sentence = say("{field}: {value} is {reason}.", field=field, value=_shown(value), reason=reason)
    return _sub_error("parameter", field, value, sentence)


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    method, path = request.method, request.url.path[:_SHOWN]
    match error.status_code:
        case 404:
            status = 400
            sentence = say("There is no {method} {path}. See /docs for what there is.", method=method, path=path)
        case 405:
            return _wrong_method(request)
        case status:
            sentence = say("{method} {path} cannot be answered.", method=method, path=path)
    return refusal(request, status, {"code": 0, "message": sentence}, error.headers)


def _wrong_method(request: Request) -> Response:
    allow = {"Allow": ", ".join(sorted(methods_at(request) | {"OPTIONS"}))}
    if request.method == "OPTIONS":
        return Response(None, 204, allow)
    sentence = say(
        "{path} does not take {method}. See /docs for what it takes.",
        path=request.url.path[:_SHOWN],
        method=request.method,
    )
    return refusal(request, 405, {"code": 0, "message": sentence}, allow)


def _sub_error(place: str, field: str, value: object, sentence: str) -> dict[str, object]:
    return {"field": field, "message": sentence, "object": place, "rejectedValue": _shown(value)}


def _shown(value: object) -> object:
    """Return a rejected value as a reply repeats it: itself where it is short, else the beginning of its text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return long(value)
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        text = str(value)
    if len(text) <= _SHOWN:
        return value
    return f"{text[:_SHOWN]}…"
