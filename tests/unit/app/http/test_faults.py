"""What needs something that does not answer, and faults of our own."""

import json
import logging

import pytest
from typing_extensions import override

from core.claim import Worker
from core.errors import BrokerUnavailable
from core.record import TaskRecord
from infra.logs import configure_logging
from infra.store.task_values import ClaimRequest
from tests.support.api import NO_BROKER, Api, RecordingDispatcher, entry, running_api
from tests.support.failing import FailingPart, FailingStore
from tests.support.fake_store import FakeStore


class ClaimedMeanwhile(RecordingDispatcher):
    """Publishes, a worker claims, and then the broker's answer is lost."""

    store: FakeStore

    @override
    async def submit(self, task: TaskRecord, step: int = 0, *, backwards: bool = False) -> None:
        first = task.plan.steps[0]
        await self.store.tasks.advance(task, first, Worker(1, "w"), 0, claim=ClaimRequest(limit=1))
        raise BrokerUnavailable("The broker's answer was lost.")


@pytest.mark.parametrize("part", ["hosts", "tasks"])
async def test_the_store_is_down(part: str) -> None:
    store = FailingStore()
    async with running_api(store) as api:
        await store.hosts.put([entry(2)], 0)
        store.broken_hosts = FailingPart(store.hosts, "find_obstacles") if part == "hosts" else None
        store.broken_tasks = FailingPart(store.tasks, "create") if part == "tasks" else None
        answer = await api.stop([2])
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["error"] == {"code": 0, "message": "The store does not answer."}
        assert api.dispatcher.submitted == []
        store.broken_tasks = None
        assert await store.tasks.head(1) is None


async def test_the_store_is_down_before_anybody_was_recognised(api: Api) -> None:
    api.app.state.auth.authenticator._users = FailingPart(api.store.users, "get")  # noqa: SLF001 - the way in
    answer = await api.stop([2])
    assert answer.status_code == 503


async def test_the_broker_is_down_but_a_worker_has_the_task() -> None:
    store = FakeStore()
    submitting = ClaimedMeanwhile()
    submitting.store = store
    async with running_api(store, submitting) as api:
        await store.hosts.put([entry(2)], 0)
        answer = await api.stop([2])
        assert answer.status_code == 200
        assert await store.tasks.head(answer.json()["data"]["id"]) is not None


async def test_the_broker_is_down_and_the_task_is_stored() -> None:
    store = FakeStore()
    async with running_api(store) as api:
        await store.hosts.put([entry(2)], 0)
        api.dispatcher.fault = NO_BROKER
        answer = await api.stop([2])
        assert answer.status_code == 200
        assert await store.tasks.head(answer.json()["data"]["id"]) is not None


async def test_a_fault_of_ours_tells_nothing_but_its_kind_and_is_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = FailingStore()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    async with running_api(store) as api:
        configure_logging("json", "info")
        try:
            store.broken_hosts = FailingPart(store.hosts, "find_obstacles", fault=ZeroDivisionError("a secret detail"))
            headers = {"X-ReturnStackTrace": "true", "x-trace-id": "t-1"}
            answer = await api.stop([2], headers=headers)
        finally:
            root.handlers, root.level = handlers, level
    assert answer.status_code == 500
    assert answer.json()["error"] == {
        "code": 10010,
        "message": "The server met an unexpected error (ZeroDivisionError). Its log has the details under the traceId.",
    }
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    fault, request = [line for line in lines if line["logger"] == "ocpfleet.api"]
    assert (fault["event"], fault["traceId"]) == ("fault", "t-1")
    assert "a secret detail" in fault["exception"]
    assert request == {
        "timestamp": request["timestamp"],
        "level": "warning",
        "logger": "ocpfleet.api",
        "event": "request",
        "method": "POST",
        "path": "/api/v2/compute/hosts/batchStopAgents",
        "status": 500,
        "duration": request["duration"],
        "user": "admin",
        "traceId": "t-1",
    }
