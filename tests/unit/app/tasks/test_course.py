"""Retry and skip over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from app.http.wire import format_time
from app.tasks.schemas import WrappedTaskInstance
from core.claim import Worker
from core.record import TaskRecord
from core.status import Operation
from core.transition import Failed
from infra.store.task_values import ClaimRequest
from tests.support.api import NO_BROKER, NOW, Api, entry, running_api
from tests.support.records import run_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TASK = "/api/v2/tasks/instances/1"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running_api() as api:
        await api.store.hosts.put([entry(1), entry(2)], NOW)
        await api.stop([1, 2])
        yield api


async def _fail(api: Api) -> TaskRecord:
    """Let both Prepares of the task fail."""
    task = await api.store.tasks.head(1)
    assert task is not None
    worker, prepare = Worker(1, "worker-1@test"), task.plan.steps[0]
    _, claims = await api.store.tasks.advance(task, prepare, worker, NOW, claim=ClaimRequest(2))
    results = [Failed(claim.series_id, claim.token, run_log(1, "badly")) for claim in claims.granted]
    await api.store.tasks.advance(task, prepare, worker, NOW, settled=results)
    return task


def _data(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == httpx.codes.OK, reply.text
    data: dict[str, Any] = reply.json()["data"]
    return data


async def test_a_retried_task_is_replied_as_it_stands_and_published(api: Api) -> None:
    await _fail(api)
    task = _data(await api.client.post(f"{TASK}/retry"))
    assert (task["status"], task["operation"]) == ("RUNNING", "RETRY")
    prepares = [subtask for subtask in task["subtasks"] if subtask["name"] == "Prepare stop OCP agent"]
    assert {(each["status"], each["operation"], each["runTime"]) for each in prepares} == {("READY", "RETRY", 2)}
    assert [task.id for task in api.dispatcher.submitted] == [1, 1]


async def test_a_retried_subtask_is_replied_as_ocp_replies_it(api: Api) -> None:
    await _fail(api)
    subtask = _data(await api.client.post(f"{TASK}/subtasks/2/retry"))
    assert subtask == {
        "description": "Prepare stop OCP agent",
        "downstreams": [3],
        "executor": "worker-1@test",
        "finishTime": format_time(NOW),
        "id": 2,
        "name": "Prepare stop OCP agent",
        "nodeType": "JAVA_TASK",
        "operation": Operation.RETRY,
        "parallelIdx": 1,
        "prohibitRollback": False,
        "runTime": 2,
        "seriesId": 1,
        "startTime": format_time(NOW),
        "status": "READY",
        "timeout": 60,
        "upstreams": [],
    }


async def test_a_skip_replies_nothing_but_that_it_was_done(api: Api) -> None:
    await _fail(api)
    reply = await api.client.post(f"{TASK}/subtasks/2/skip")
    assert reply.status_code == httpx.codes.OK
    assert sorted(reply.json()) == ["duration", "server", "status", "successful", "timestamp", "traceId"]
    subtask = _data(await api.client.get(TASK))["subtasks"][1]
    assert (subtask["status"], subtask["operation"], subtask["runTime"]) == ("READY", "SKIP", 1)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("retry", "Task 1 is RUNNING; only a FAILED one can be retried."),
        ("subtasks/1/retry", "Subtask 1 is READY; only a FAILED one can be retried."),
        ("subtasks/3/skip", "Subtask 3 is PENDING; only a FAILED one can be skipped."),
        ("subtasks/1/cancel", "Subtask 1 is READY; only a RUNNING one can be cancelled."),
    ],
)
async def test_what_did_not_fail_is_refused_with_ocps_code(api: Api, path: str, sentence: str) -> None:
    reply = await api.client.post(f"{TASK}/{path}")
    assert reply.status_code == httpx.codes.BAD_REQUEST
    assert reply.json()["error"] == {"code": 20003, "message": sentence}
    assert len(api.dispatcher.submitted) == 1


@pytest.mark.parametrize("path", ["9/retry", "1/subtasks/99/retry", "1/subtasks/99/skip", "9/subtasks/1/skip"])
async def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    reply = await api.client.post(f"/api/v2/tasks/instances/{path}")
    assert reply.status_code == httpx.codes.NOT_FOUND
    assert reply.json()["error"]["code"] == 20000


async def test_without_a_broker_the_course_is_changed_and_a_worker_goes_on_with_it(api: Api) -> None:
    await _fail(api)
    api.dispatcher.fault = NO_BROKER
    task = _data(await api.client.post(f"{TASK}/retry"))
    assert (task["status"], task["operation"]) == ("RUNNING", "RETRY")


async def test_a_cancelled_task_is_replied_as_it_stands(api: Api) -> None:
    task = _data(await api.client.post(f"{TASK}/cancel"))
    assert task["status"] == "FAILED"
    assert [(each["status"], each["operation"]) for each in task["subtasks"][:3]] == [
        ("FAILED", "CANCEL"),
        ("FAILED", "CANCEL"),
        ("PENDING", "EXECUTE"),
    ]
    again = await api.client.post(f"{TASK}/cancel")
    assert again.json()["error"] == {
        "code": 20003,
        "message": "Task 1 is FAILED; only a RUNNING one can be cancelled.",
    }


async def test_a_rolled_back_task_is_replied_as_it_stands_and_published_backwards(api: Api) -> None:
    await _fail(api)
    reply = await api.client.post(f"{TASK}/rollback")
    task = _data(reply)
    WrappedTaskInstance.model_validate_json(orjson.dumps(task))
    assert (task["status"], task["operation"], task["prohibitRollback"]) == ("RUNNING", "ROLLBACK", False)
    prepares = [subtask for subtask in task["subtasks"] if subtask["name"] == "Prepare stop OCP agent"]
    assert {(each["status"], each["operation"], each["runTime"]) for each in prepares} == {("READY", "ROLLBACK", 1)}
    assert {each["status"] for each in task["subtasks"] if each not in prepares} == {"PENDING"}
    assert [(task.id, back) for task, _, back in api.dispatcher.published] == [(1, False), (1, True)]


async def test_only_a_failed_task_is_rolled_back(api: Api) -> None:
    reply = await api.client.post(f"{TASK}/rollback")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 20003)
    assert reply.json()["error"]["message"] == "Task 1 is RUNNING; only a FAILED one can be rolled back."
    missing = await api.client.post("/api/v2/tasks/instances/99/rollback")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, 20000)


async def test_a_type_that_cannot_be_undone_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await _fail(api)
    monkeypatch.setattr(TaskRecord, "task_type", replace(task.task_type, prohibits_rollback=True))
    reply = await api.client.post(f"{TASK}/rollback")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 20004)
    assert (await api.client.get(TASK)).json()["data"]["prohibitRollback"] is True
