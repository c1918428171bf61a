"""An API process that is told to stop answers what it has in hand, ends its streams, and ends; another one goes on."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import orjson
from httpx_sse import EventSource, ServerSentEvent, aconnect_sse

from tests.support.paused_connection import PausedConnection
from tests.support.system import running, stub_target
from tests.support.waiting import eventually, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from demo.supervisor import Child
    from tests.support.system import System

MANY = range(1, 10_001)
SOME, FEW, WATCHED = range(10_001, 10_051), range(10_051, 10_052), range(10_052, 10_056)
STOP_PATH = "/api/v2/compute/hosts/batchStopAgents"
STUBS = {"OCPFLEET_EXECUTOR": "stub"}


def terminate(child: Child) -> None:
    assert child.process is not None
    child.process.terminate()


def exit_status(child: Child, timeout: float) -> int:
    assert child.process is not None
    return child.process.wait(timeout)


def refused(api: str) -> bool:
    place = urlsplit(api)
    with socket.socket() as probe:
        return probe.connect_ex((place.hostname, place.port)) != 0


def halfway(system: System, api: str) -> PausedConnection:
    return PausedConnection(api, "admin", system.client_environment["OCPFLEET_API_PASSWORD"])


def body_for(host_ids: Sequence[int]) -> bytes:
    return orjson.dumps({"hostIds": list(host_ids)})


def events_path(task_id: int) -> str:
    return f"/tasks/instances/{task_id}/events"


async def told_by(source: EventSource) -> AsyncIterator[ServerSentEvent]:
    """Yield the messages of a stream, without what is only meant for the client's machinery."""
    async for event in source.aiter_sse():
        if event.data:
            yield event


def succeeded(events: Sequence[ServerSentEvent]) -> list[int]:
    """Return the ids of the subtasks that these events call successful, as often as they do."""
    changes = [change for event in events for change in event.json().get("changes", ())]
    ranges = [each for change in changes for each in change.get("subtasks", {}).get("SUCCESSFUL", ())]
    return [subtask_id for first, last in ranges for subtask_id in range(first, last + 1)]


async def test_what_is_in_hand_is_answered_and_another_process_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, **STUBS) as system:
        leaving, first = system.start_api("leaving"), system.api
        await system.add_hosts([stub_target(host_id) for host_id in (*MANY, *SOME, *FEW, *WATCHED)])
        assert system.client.post("/fleet/brake", json={"reason": "nothing moves before it is told to"}).is_success
        watched = system.stop(WATCHED)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                httpx.AsyncClient(base_url=system.client.base_url, auth=system.client.auth, timeout=60)
            )
            source = await stack.enter_async_context(aconnect_sse(client, "GET", events_path(watched["id"])))
            events = told_by(source)
            snapshot = await anext(events)
            assert snapshot.event == "snapshot"
            launches = [
                (await stack.enter_async_context(halfway(system, first)), chosen) for chosen in (MANY, SOME, FEW)
            ]
            for launch, chosen in launches:
                await launch.begin(STOP_PATH, body_for(chosen))

            terminate(leaving)
            await eventually(lambda: refused(first), 30, "new connections are refused")

            parting = [event async for event in events]
            assert [event.event for event in parting] == ["unavailable"]
            assert "Connect again with Last-Event-ID" in parting[0].json()["message"]
            replies = [(await launch.finish(body_for(chosen)), chosen) for launch, chosen in launches]
        assert exit_status(leaving, 30) == 0
        for reply, chosen in replies:
            assert (reply.status, reply.headers["connection"]) == (200, "close")
            assert len(reply.json["data"]["subtasks"]) == 3 * len(chosen) + 2

        system.start_api("staying")
        async with (
            httpx.AsyncClient(base_url=system.client.base_url, auth=system.client.auth, timeout=60) as client,
            aconnect_sse(client, "GET", events_path(watched["id"]), headers={"Last-Event-ID": snapshot.id}) as resumed,
        ):
            assert system.client.delete("/fleet/brake").is_success
            told = [event async for event in told_by(resumed)]
        assert {event.event for event in told[:-1]} <= {"progress"}, "neither reset nor snapshot: nothing was missed"
        assert (told[-1].event, told[-1].json()["status"]) == ("end", "SUCCESSFUL")
        assert sorted(succeeded(told)) == sorted(subtask["id"] for subtask in watched["subtasks"])
        for reply, _ in replies:
            assert system.ended(reply.json["data"]["id"], timeout=120)["status"] == "SUCCESSFUL"


async def test_clients_that_neither_send_nor_read_hold_no_process_for_ever(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, **STUBS, OCPFLEET_API_SHUTDOWN_GRACE="2") as system:
        leaving = system.start_api("leaving")
        await system.add_hosts([stub_target(host_id) for host_id in MANY])
        task = system.stop(MANY)
        async with halfway(system, system.api) as silent, halfway(system, system.api) as deaf:
            await silent.begin(STOP_PATH, body_for(FEW))
            await deaf.begin_reading(f"/api/v2/tasks/instances/{task['id']}")
            terminate(leaving)
            wait_until(lambda: refused(system.api), 30, "new connections are refused")

            told = await silent.finish()
            assert exit_status(leaving, 60) == 0
        assert (told.status, told.headers["connection"], told.headers["retry-after"]) == (503, "close", "1")
        assert told.json["error"]["message"].startswith("This server stopped before it answered the request.")
