"""What schemathesis loads beside its configuration: checks of our own, and requests signed with an access key.

Runs in schemathesis's own process; the environment says which access key, if any.
"""

import os
import re
import time
from typing import Any
from uuid import uuid4

import httpx
import requests
import schemathesis
from requests.auth import AuthBase, HTTPBasicAuth
from schemathesis.auths import GLOBAL_AUTH_STORAGE
from typing_extensions import override

from app.http.language.choice import choose_language
from tests.support.signing import Signing

KEY, SECRET = "CONTRACT_KEY", "CONTRACT_SECRET"
"""Environment variables with an access key; without them `admin` proves itself by HTTP Basic."""
STATES_INVALID = {20003, 40000}
"""OCP's codes for a task or subtask, and for a host, that does not stand where what is asked for is possible."""
_BAD = 400
_CHINESE = re.compile("[\u4e00-\u9fff]")


class Signed(AuthBase):
    """Signs each request as a client does."""

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        assert isinstance(body, str | bytes), "schemathesis sends no streams"
        # Distinct headers make distinct signatures, so that none counts as a replay.
        request.headers["x-ocp-request"] = uuid4().hex
        sent = {name: _to_text(value) for name, value in request.headers.items()}
        # httpx reads the request as the server will, so that the client of the other tests can sign it.
        seen = httpx.Request(
            request.method or "GET",
            request.url or "",
            headers={name: value for name, value in sent.items() if name.lower().startswith("x-ocp-")},
            content=body.encode() if isinstance(body, str) else body,
        )
        if "Content-Type" in sent:
            seen.headers["Content-Type"] = sent["Content-Type"]
        next(Signing(os.environ[KEY], os.environ[SECRET], round(time.time() * 1000)).auth_flow(seen))
        request.headers.update({name: seen.headers[name] for name in ("Date", "Authorization")})
        return request


def _to_text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


GLOBAL_AUTH_STORAGE.set_from_requests(Signed() if KEY in os.environ else HTTPBasicAuth("admin", "admin-password"))


@schemathesis.hook
def before_call(_context: object, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
    """Ask for Chinese wherever no other language was made up."""
    case.headers.setdefault("Accept-Language", "zh-CN")


@schemathesis.check
def errors_are_said_in_the_language_asked_for(
    _context: object, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Every message of an error is Chinese where the client prefers it, and the reply says which language it is in."""
    if response.status_code < httpx.codes.BAD_REQUEST or case.method == "HEAD":
        return
    (language,) = response.headers["content-language"]
    assert language == choose_language(case.headers.get("Accept-Language", "")), f"answered in {language}"
    error = response.json()["error"]
    messages = [error["message"], *(fault["message"] for fault in error.get("subErrors", ()))]
    untranslated = [message for message in messages if language == "zh-CN" and not _CHINESE.search(message)]
    assert not untranslated, f"not Chinese: {untranslated}"


@schemathesis.check
def only_states_refuse_what_is_valid(
    _context: object, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Where the configuration lets 400 answer a valid request, it is that the task or subtask stands elsewhere."""
    expected = case.operation.schema.config.checks_config_for(operation=case.operation)
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != _BAD:
        return
    if str(_BAD) in expected.positive_data_acceptance.expected_statuses:
        assert response.json()["error"]["code"] in STATES_INVALID, "a valid request was refused for another reason"
