"""Turns errors into replies. This is the one place where errors become HTTP.

Kinds, codes and shapes are OCP's. One of them surprises: a route that does not exist answers 400, not 404. There, 404
means that something that the request names does not exist.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.http.methods import list_methods
from app.http.reasons import explain
from app.http.reply import refuse
from app.http.wire import format_id
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
_MAX_SHOWN: Final = 200
"""How many characters of a rejected value a reply repeats."""


class InvalidParameter(InvalidRequest):
    """A parameter of the path or the query is invalid."""


class UnsupportedMediaType(FleetError):
    """A request does not say that its body is JSON."""


class BodyTooLarge(FleetError):
    """A body is longer than any valid one."""


def add_error_handlers(app: FastAPI) -> None:
    """Let an application answer errors in OCP's envelope."""
    app.add_exception_handler(FleetError, _answer_fleet_error)
    app.add_exception_handler(RequestValidationError, _answer_wrong_parameter)
    app.add_exception_handler(HTTPException, _answer_http_error)


def refuse_unexpected(request: Request, error: Exception) -> Response:
    """Return the reply for an unexpected exception: its kind, and the trace id that finds it in the log, nothing more.

    An error that has a sentence for people is answered with that sentence.
    """
    if isinstance(error, FleetError):
        return _refuse(request, error)
    sentence = say(
        "The server met an unexpected error ({kind}). Its log has the details under the traceId.",
        kind=type(error).__name__,
    )
    return refuse(request, 500, {"code": UNEXPECTED, "message": sentence})


def build_error(error: FleetError) -> dict[str, object]:
    """Return the `error` of a reply."""
    document: dict[str, object] = {"code": error.code, "message": error.sentence}
    match error:
        case InvalidParameter():
            document["subErrors"] = [_build_sub_error("parameter", error.field, error.value, error.sentence)]
        case InvalidRequest():
            document["subErrors"] = [_build_sub_error("body", error.field, error.value, error.sentence)]
        case _:
            pass
    return document


async def _answer_fleet_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, FleetError):
        raise error
    return _refuse(request, error)


def _refuse(request: Request, error: FleetError) -> Response:
    status, headers = _choose_status(error)
    return refuse(request, status, build_error(error), headers)


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


def _choose_status(error: FleetError) -> tuple[int, Mapping[str, str]]:
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
    headers = {}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = _CHALLENGE
    if isinstance(error, LoginBlocked | TooManyRequests | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnsupportedMediaType):
        headers["Accept"] = "application/json"
    return status, headers


async def _answer_wrong_parameter(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    if request.method not in list_methods(request):
        return _answer_wrong_method(request)
    faults = [_explain_fault(fault) for fault in error.errors()]
    return refuse(request, 400, {"code": 0, "message": faults[0]["message"], "subErrors": faults})


def _explain_fault(fault: Mapping[str, object]) -> dict[str, object]:
    where = fault["loc"]
    field = str(where[-1]) if isinstance(where, Sequence) else ""
    value, limits = fault.get("input"), fault.get("ctx")
    if fault["type"] == "missing":
        return _build_sub_error("parameter", field, value, say("{field} is missing.", field=field))
    reason = explain(fault["type"], limits, say("not a valid value of the parameter. /docs describes the parameter"))
    sentence = say("{field}: {value} is {reason}.", field=field, value=_shorten(value), reason=reason)
    return _build_sub_error("parameter", field, value, sentence)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    method, path = request.method, request.url.path[:_MAX_SHOWN]
    match error.status_code:
        case 404:
            status = 400
            sentence = say("There is no {method} {path}. /docs lists the routes.", method=method, path=path)
        case 405:
            return _answer_wrong_method(request)
        case status:
            sentence = say("{method} {path} cannot be answered.", method=method, path=path)
    return refuse(request, status, {"code": 0, "message": sentence}, error.headers)


def _answer_wrong_method(request: Request) -> Response:
    allow = {"Allow": ", ".join(sorted(list_methods(request) | {"OPTIONS"}))}
    if request.method == "OPTIONS":
        return Response(None, 204, allow)
    sentence = say(
        "{path} does not take {method}. /docs lists the methods that it takes.",
        path=request.url.path[:_MAX_SHOWN],
        method=request.method,
    )
    return refuse(request, 405, {"code": 0, "message": sentence}, allow)


def _build_sub_error(place: str, field: str, value: object, sentence: str) -> dict[str, object]:
    return {"field": field, "message": sentence, "object": place, "rejectedValue": _shorten(value)}


def _shorten(value: object) -> object:
    """Return a rejected value where it is short, else the beginning of its text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return format_id(value)
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        text = str(value)
    if len(text) <= _MAX_SHOWN:
        return value
    return f"{text[:_MAX_SHOWN]}…"
