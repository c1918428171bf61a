"""What is made of the API's replies, and of what is none."""

import asyncio
from pathlib import Path

import httpx
import pytest

from cli.exits import ApiDenied, ApiRefused, ApiUnreachable, Exit, to_exit
from cli.remote.client import Client
from cli.remote.signing import AccessKeyAuth
from core.errors import FleetError, InvalidRequest, Misconfigured, StoreUnavailable

ROOT = Path(__file__).parents[4]


def ask(*answers: httpx.Response | Exception, method: str = "GET") -> tuple[object, list[float]]:
    """Ask an API that gives these answers; return the reply's data and the waits in between."""
    left, waits = list(answers), []

    def answer(_: httpx.Request) -> httpx.Response:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def run() -> object:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://fleet/api/v2") as http:
            return (await Client(http, sleep).ask(method, "/x")).data

    return asyncio.run(run()), waits


def reply(status: int = 200, message: str = "No.", **headers: str) -> httpx.Response:
    body = {"data": 7} if status == 200 else {"error": {"code": 1, "message": message}}
    return httpx.Response(
        status, json=body | {"traceId": "t1"}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, ApiRefused, 1),
        (404, ApiRefused, 1),
        (409, ApiRefused, 1),
        (500, ApiRefused, 1),
        (401, ApiDenied, 4),
        (403, ApiDenied, 4),
        (503, ApiUnreachable, 3),
    ],
)
def test_a_refusal_is_the_apis_own_sentence(status: int, error: type[FleetError], code: int) -> None:
    with pytest.raises(error) as refused:
        ask(reply(status))
    assert refused.value.sentence == "No. [trace id t1]"
    assert to_exit(refused.value) == code


def test_the_error_says_when_to_try_again() -> None:
    with pytest.raises(ApiUnreachable) as refused:
        ask(reply(503, Retry_After="5"))
    assert refused.value.sentence == "No. Try again in 5 s. [trace id t1]"


def test_a_rate_limited_request_is_sent_again_later() -> None:
    assert ask(reply(429, Retry_After="7"), reply(429, Retry_After="1"), reply(), method="POST") == (7, [7, 1])
    with pytest.raises(ApiUnreachable):
        ask(*[reply(429, Retry_After="10")] * 6)
    with pytest.raises(ApiUnreachable, match="Try again in 3000 s"):
        ask(reply(429, Retry_After="3000"))


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (
            httpx.Response(502, text="<html>Bad gateway"),
            ApiUnreachable,
            "answered 502, but not with a reply of ocpfleet: a web",
        ),
        (httpx.Response(200, json=[1]), ApiUnreachable, "answered 200, but not with a reply of ocpfleet: [1]."),
        (
            httpx.Response(302, headers={"location": "/login"}),
            ApiUnreachable,
            "answered 302, but not with a reply of ocpfleet: n",
        ),
        (httpx.Response(401, text="who?"), ApiDenied, "answered 401, but not with a reply of ocpfleet: who?."),
    ],
)
def test_a_reply_that_is_not_the_apis(answer: httpx.Response, error: type[FleetError], said: str) -> None:
    with pytest.raises(error) as refused:
        ask(answer)
    assert said in refused.value.sentence
    assert "Check that the address is the API's: --api, OCPFLEET_API_URL or the client file." in refused.value.sentence


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_breaks_off(method: str) -> None:
    with pytest.raises(ApiUnreachable) as refused:
        ask(httpx.ReadTimeout(""), method=method)
    unknown = "The request may have been carried out: check before you repeat it."
    assert refused.value.sentence.startswith("http://fleet did not complete its answer (it took too long).")
    assert (unknown in refused.value.sentence) == (method == "POST")


def test_two_signatures_of_the_same_request_differ() -> None:
    signed = set()
    for _ in range(2):
        request = next(
            AccessKeyAuth("ak", "sk").auth_flow(httpx.Request("POST", "http://fleet/x?b=2&a=1", json={"a": 1}))
        )
        signed.add(request.headers["authorization"])
    assert len(signed) == 2


def test_exit_codes_are_in_the_page_of_the_command_line() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for code in Exit:
        assert f"\n| {code.value} | " in text
    assert [to_exit(error) for error in (InvalidRequest("", "", ""), Misconfigured(""), StoreUnavailable(""))] == [
        2,
        2,
        1,
    ]
