"""A task's events over connections that break."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from typing_extensions import override

from cli.exits import ApiDenied, ApiRefused, ApiUnreachable
from cli.remote.client import Client
from cli.remote.events import Event, EventStream

Handler = Callable[[httpx.Request], httpx.Response]
HEADERS = {"content-type": "text/event-stream"}


class Broken(httpx.AsyncByteStream):
    """A reply that breaks off."""

    def __init__(self, text: str) -> None:
        self._text = text

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._text.encode()
        raise httpx.ReadError("the line is dead")


def message(kind: str, event_id: str | None, **data: object) -> str:
    name = f"id: {event_id}\n" if event_id else ""
    return f"{name}event: {kind}\ndata: {json.dumps(data)}\n\n"


def stream(*messages: str) -> httpx.Response:
    return httpx.Response(200, headers=HEADERS, text="".join(messages))


def broken(*messages: str) -> httpx.Response:
    return httpx.Response(200, headers=HEADERS, stream=Broken("".join(messages)))


def refusal(status: int, sentence: str) -> httpx.Response:
    return httpx.Response(status, json={"traceId": "t1", "error": {"code": 1, "message": sentence}})


class Script:
    """Answers one request after the other, and remembers them and the waits in between."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[str | None] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.headers.get("last-event-id"))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def follow(self) -> list[Event]:
        async def read() -> list[Event]:
            transport = httpx.MockTransport(self)
            async with httpx.AsyncClient(transport=transport, base_url="http://fleet/api/v2") as http:
                events = EventStream(17, self.sleep)
                return [event async for event in events.read(Client(http))]

        return asyncio.run(read())

    def kinds(self) -> list[str]:
        return [event.kind for event in self.follow()]


def test_one_connection_to_the_end() -> None:
    script = Script(stream("retry: 2000\n\n", message("snapshot", "1-0", a=1), ": nothing\n\n", message("end", "2-0")))
    assert script.follow() == [Event("snapshot", {"a": 1}), Event("end", {})]
    assert (script.asked, script.waits) == ([None], [])


def test_a_broken_connection_is_resumed_where_it_broke() -> None:
    script = Script(
        broken(
            "retry: 3000\n\n",
            message("snapshot", "1-0"),
            message("progress", "5-0"),
            'id: 6-0\nevent: progress\ndata: {"ha',
        ),
        httpx.ConnectError("refused"),
        stream(message("progress", "7-0")),
        stream(message("end", "8-0")),
    )
    assert script.kinds() == ["snapshot", "progress", "lost", "lost", "progress", "lost", "end"]
    assert script.asked == [None, "5-0", "5-0", "7-0"]
    assert script.waits == [3, 3, 3]


def test_a_stream_that_says_why_it_ends_is_resumed() -> None:
    script = Script(
        stream(message("snapshot", "1-0"), message("unavailable", None, message="This server stops.")),
        stream(message("end", "2-0")),
    )
    events = script.follow()
    assert [event.kind for event in events] == ["snapshot", "unavailable", "lost", "end"]
    assert events[2].data["message"] == "This server stops."


def test_after_a_reset_nothing_is_known() -> None:
    script = Script(
        stream(message("snapshot", "1-0")),
        broken(message("reset", None, message="Forget.")),
        stream(message("snapshot", "9-0"), message("end", "9-1")),
    )
    assert script.kinds() == ["snapshot", "lost", "reset", "lost", "snapshot", "end"]
    assert script.asked == [None, "1-0", None]


def test_an_end_event_that_did_not_arrive_is_requested_again() -> None:
    script = Script(broken(message("progress", "1-0")), httpx.Response(204), stream(message("end", "1-0")))
    assert script.kinds()[-1] == "end"
    assert script.asked == [None, "1-0", None]


def test_following_ends_after_eight_connections_without_an_event() -> None:
    script = Script(*[httpx.ConnectError("refused")] * 9)
    with pytest.raises(ApiUnreachable) as refused:
        script.follow()
    assert refused.value.sentence.startswith(
        "Lost sight of task 17: 8 connections brought no news. Nothing answers at ht"
    )
    assert "`ocpfleet task follow 17` watches it again" in refused.value.sentence
    assert len(script.asked) == 8
    assert script.waits == [2, 4, 6, 8, 10, 10, 10]


def test_each_new_event_resets_the_count_of_failures() -> None:
    answers: list[httpx.Response | Exception] = []
    for number in range(20):
        answers += [httpx.ConnectError("refused"), stream(message("progress", f"{number + 1}-0"))]
    script = Script(*answers, stream(message("end", "99-0")))
    assert script.kinds()[-1] == "end"


def test_a_server_that_is_full_is_asked_again() -> None:
    script = Script(refusal(503, "500 clients watch already."), stream(message("end", "1-0")))
    events = script.follow()
    assert events[0] == Event("lost", {"message": "500 clients watch already. [trace id t1]", "attempt": 1})


@pytest.mark.parametrize(("status", "error"), [(404, ApiRefused), (401, ApiDenied), (403, ApiDenied)])
def test_a_refusal_ends_following(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"No\. \[trace id t1\]"):
        Script(refusal(status, "No.")).follow()


def test_a_reply_that_is_not_an_event_stream() -> None:
    script = Script(*[httpx.Response(200, text="<html>") for _ in range(8)])
    with pytest.raises(ApiUnreachable, match=r"The reply is not a stream of events\. Is there a proxy"):
        script.follow()
