"""An administrator frees a host from a task that will not give it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from app.hosts.schemas import Host
from app.http.schemas import Reply
from core.claim import Worker, require_host_claims
from core.host import STOPPING
from core.transition import Failed
from core.user import Role
from infra.store.task_values import ClaimRequest
from tests.support.api import NOW, Api, entry, running_api
from tests.support.records import PREPARE, STOP, draft, make_successes, pass_step, run_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.claim import Claim
    from core.record import TaskRecord

HOST = "/api/v2/compute/hosts/1"
WORKER = Worker(1, "worker-1@test")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running_api() as api:
        await api.store.hosts.put([entry(1), entry(2)], NOW)
        yield api


async def _holding(api: Api) -> tuple[TaskRecord, tuple[Claim, ...]]:
    """Return a task that holds hosts 1 and 2 and whose Stops run."""
    task = await api.store.tasks.create(draft((1, 2)))
    _, claims = await api.store.tasks.advance(task, task.plan.steps[PREPARE], WORKER, NOW, claim=ClaimRequest(2))
    await api.store.tasks.take_hosts(require_host_claims(claims.granted), NOW, STOPPING)
    done = make_successes(claims.granted)
    await api.store.tasks.advance(task, task.plan.steps[PREPARE], WORKER, NOW, settled=done)
    await pass_step(api.store, task, 1)
    _, claims = await api.store.tasks.advance(task, task.plan.steps[STOP], WORKER, NOW, claim=ClaimRequest(2))
    return task, claims.granted


async def _fail(api: Api, task: TaskRecord, claims: tuple[Claim, ...], *, alive: bool | None) -> None:
    results = [Failed(one.series_id, one.token, run_log(1, "badly"), agent_alive=alive) for one in claims]
    await api.store.tasks.advance(task, task.plan.steps[STOP], WORKER, NOW, settled=results)


def _state(reply: httpx.Response) -> tuple[str, str, int | None]:
    assert reply.status_code == httpx.codes.OK, reply.text
    Reply[Host].model_validate_json(reply.content)
    host = reply.json()["data"]
    return host["status"], host["hostAgentStatus"], host["holderTaskId"]


@pytest.mark.parametrize(
    ("alive", "state"),
    [(True, ("ONLINE", "AVAILABLE")), (False, ("OFFLINE", "OFFLINE")), (None, ("ONLINE", "AVAILABLE"))],
)
async def test_a_host_is_freed_in_the_state_that_was_seen_last(
    api: Api,
    alive: bool | None,
    state: tuple[str, str],
) -> None:
    task, claims = await _holding(api)
    await _fail(api, task, claims, alive=alive)

    assert _state(await api.client.post(f"{HOST}/release")) == (*state, None)

    assert (await api.client.get("/api/v2/compute/hosts/2")).json()["data"]["holderTaskId"] == task.id
    (entry,) = (await api.client.get("/api/v2/audit")).json()["data"]["contents"]
    assert (entry["path"], entry["taskId"], entry["status"], entry["user"]) == (f"{HOST}/release", 1, 200, "admin")


async def test_a_host_that_is_worked_on_is_not_freed(api: Api) -> None:
    await _holding(api)
    reply = await api.client.post(f"{HOST}/release")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 20003)
    assert reply.json()["error"]["message"] == (
        "Task 1 is working on host 1. Cancel the task first (POST /api/v2/tasks/instances/1/cancel), then release the "
        "host."
    )


async def test_a_free_host_and_an_unknown_one(api: Api) -> None:
    reply = await api.client.post(f"{HOST}/release")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 20003)
    assert reply.json()["error"]["message"] == "No task holds host 1, so it cannot be released."
    assert (await api.client.post("/api/v2/compute/hosts/9/release")).status_code == 404


async def test_only_an_administrator_frees_hosts(api: Api) -> None:
    task, claims = await _holding(api)
    await _fail(api, task, claims, alive=None)
    others = [role for role in Role if role is not Role.ADMIN]
    reply = await api.client.post(f"{HOST}/release", auth=await api.user("everything-else", *others))
    assert reply.status_code == 403
