"""The fleet's brake over the API: who may, what it shows, and that what waited goes on when it is released."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.brake.schemas import Brake, ReleasedBrake
from app.http.schemas import Reply
from core.claim import Worker
from core.lease import Lease, Leased
from core.user import Role
from infra.store.task_values import ClaimRequest, Course
from infra.store.values import CHUNK
from tests.support.api import NO_BROKER, NOW, Api, entry, running_api
from tests.support.records import (
    FIRST_WAIT,
    PREPARE,
    claim_step,
    draft,
    make_failures,
    make_successes,
    pass_step,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

BRAKE = "/api/v2/fleet/brake"
TASKS = "/api/v2/tasks/instances"
WORKER = Worker(1, "worker-1@test")
OFF = {"braked": False, "by": None, "reason": None, "since": None}


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running_api() as api:
        await api.store.hosts.put([entry(1), entry(2)], NOW)
        yield api


async def _pull(api: Api, reason: str = "smoke in room 3") -> httpx.Response:
    return await api.client.post(BRAKE, json={"reason": reason})


async def test_it_shows_who_pulled_it_when_and_why(api: Api) -> None:
    assert (await api.client.get(BRAKE)).json()["data"] == OFF
    pulled = await _pull(api)
    Reply[Brake].model_validate_json(pulled.content)
    shown = pulled.json()["data"]
    assert (shown["braked"], shown["by"], shown["reason"]) == (True, "admin", "smoke in room 3")
    assert shown["since"].startswith("2021-09-03T")
    assert (await _pull(api, "another reason")).json()["data"] == shown, "it stays as whoever was first left it"
    assert (await api.client.get(BRAKE)).json()["data"] == shown

    released = await api.client.delete(BRAKE)
    Reply[ReleasedBrake].model_validate_json(released.content)
    assert released.json()["data"] == OFF | {"republished": 0}
    assert (await api.client.delete(BRAKE)).json()["data"] == OFF | {"republished": 0}, "asked twice it is the same"


async def test_the_audit_has_both(api: Api) -> None:
    await _pull(api)
    await api.client.delete(BRAKE)
    released, pulled = (await api.client.get("/api/v2/audit")).json()["data"]["contents"]
    assert (pulled["method"], pulled["path"], pulled["user"]) == ("POST", BRAKE, "admin")
    assert pulled["fields"] == {"reason": "smoke in room 3"}
    assert (released["method"], released["path"]) == ("DELETE", BRAKE)
    assert released["fields"] == {"pulledBy": "admin", "reason": "smoke in room 3"}


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "x" * 301])
async def test_a_reason_is_one_line(api: Api, reason: str) -> None:
    reply = await _pull(api, reason)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == (
        "reason: write in one line of at most 300 characters why nothing may start."
    )
    assert (await api.client.get(BRAKE)).json()["data"] == OFF


async def test_administrators_and_cluster_managers_pull_it_and_who_sees_tasks_sees_it(api: Api) -> None:
    for role in Role:
        user = await api.user(role.value, role)
        may = role in {Role.ADMIN, Role.CLUSTER_MANAGER}
        for reply in (
            await api.client.post(BRAKE, json={"reason": "a drill"}, auth=user),
            await api.client.delete(BRAKE, auth=user),
        ):
            assert reply.status_code == (200 if may else 403), role
    viewer = await api.user("viewer", Role.TASK_VIEWER)
    assert (await api.client.get(BRAKE, auth=viewer)).status_code == 200


async def test_requests_are_accepted_and_the_replies_say_that_the_brake_is_on(api: Api) -> None:
    assert "fleet-brake" not in (await api.stop([1])).headers
    assert (await api.client.get("/readyz")).json()["data"]["brake"] == "off"
    await _pull(api)
    accepted = await api.stop([2])
    assert (accepted.status_code, accepted.headers["fleet-brake"]) == (200, "on")
    assert accepted.json()["data"]["status"] == "RUNNING"
    task = await api.client.get(f"{TASKS}/2")
    again = await api.client.get(f"{TASKS}/2", headers={"if-none-match": task.headers["etag"]})
    listed = await api.client.get(TASKS)
    assert [one.headers["fleet-brake"] for one in (task, again, listed)] == ["on"] * 3
    assert again.status_code == 304
    assert (await api.client.get("/readyz")).json()["data"]["brake"] == (
        "on: accepted requests wait until it is released"
    )


async def test_what_waited_goes_on_from_where_it_stands(api: Api) -> None:
    store = api.store
    fresh, opened, running, ended, back = [await store.tasks.create(draft((1, 2))) for _ in range(5)]
    await pass_step(store, opened, PREPARE)
    await claim_step(store, running, PREPARE)
    await settle(store, ended, PREPARE, make_failures(await claim_step(store, ended, PREPARE)))
    await pass_step(store, back, PREPARE)
    await settle(store, back, FIRST_WAIT, make_failures(await claim_step(store, back, FIRST_WAIT)))
    await store.tasks.change_course(back, Course.ROLLBACK, NOW)
    await _pull(api)

    assert (await api.client.delete(BRAKE)).json()["data"]["republished"] == 3

    published = [(task.id, step, backwards) for task, step, backwards in api.dispatcher.published]
    assert published == [
        (fresh.id, PREPARE, False),
        (opened.id, FIRST_WAIT, False),
        (back.id, FIRST_WAIT, True),
    ]


async def test_more_tasks_than_a_page_go_on_once_each(api: Api) -> None:
    tasks = [await api.store.tasks.create(draft((1,))) for _ in range(2 * CHUNK + 5)]
    await _pull(api)
    assert (await api.client.delete(BRAKE)).json()["data"]["republished"] == len(tasks)
    assert [task.id for task, _, _ in api.dispatcher.published] == [task.id for task in tasks]


async def test_a_step_of_which_a_part_runs_is_published_for_the_rest(api: Api) -> None:
    task = await api.store.tasks.create(draft((1, 2)))
    planned = task.plan.steps[PREPARE]
    _, claims = await api.store.tasks.advance(task, planned, WORKER, NOW, claim=ClaimRequest(1))
    await _pull(api)
    await settle(api.store, task, PREPARE, make_successes(claims.granted))
    assert (await api.client.delete(BRAKE)).json()["data"]["republished"] == 1


async def test_without_a_broker_the_brake_stays_on(api: Api) -> None:
    await _pull(api)
    api.dispatcher.fault = NO_BROKER
    reply = await api.client.delete(BRAKE)
    assert reply.status_code == 503
    api.dispatcher.fault = None
    assert (await api.client.get(BRAKE)).json()["data"]["braked"]


async def test_a_broker_that_goes_away_in_between_is_told_and_the_release_asked_for_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.store.tasks.create(draft((1,)))
    await _pull(api)
    answers = iter([None])

    async def ping() -> None:
        api.dispatcher.fault = NO_BROKER if next(answers, NO_BROKER) is None else None

    monkeypatch.setattr(api.dispatcher, "ping", ping)
    reply = await api.client.delete(BRAKE)
    assert reply.status_code == 503
    assert reply.json()["error"]["message"] == (
        "The broker does not take messages. The brake is off, but not every task that waited was published. "
        "Release it again once the broker answers; until then some tasks may wait."
    )
    assert (await api.client.delete(BRAKE)).json()["data"] == OFF | {"republished": 1}


async def test_no_process_of_an_agent_is_worked_on(api: Api) -> None:
    await _pull(api)
    reply = await api.client.post("/api/v2/compute/hosts/1/agent/processes/3/stop")
    assert (reply.status_code, reply.json()["error"]) == (
        400,
        {
            "code": 40000,
            "message": "The fleet's brake is on (admin: smoke in room 3), so nothing was done. Try again once it is "
            "released (GET /api/v2/fleet/brake).",
        },
    )
    assert (await api.store.hosts.lease((1,), Lease("other", "to look", 1000))) == Leased()
