"""Tasks that a newer version made, while or after it ran: listed, and otherwise left to servers that know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import NOW, Api, entry, running_api
from tests.support.fake_store import FakeStore, make_newer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TASK = "/api/v2/tasks/instances/1"
KEY = {"Idempotency-Key": "9f0c-1"}
SENTENCE = "A newer version of ocpfleet made task 1. Update the server."


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    store = FakeStore()
    async with running_api(store) as api:
        await store.hosts.put([entry(1), entry(2)], NOW)
        await api.stop([1, 2], headers=KEY)
        await make_newer(store, 1)
        api.dispatcher.submitted.clear()
        yield api


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/hosts"),
        ("GET", "/subtasks/1/log"),
        ("POST", "/retry"),
        ("POST", "/rollback"),
        ("POST", "/cancel"),
        ("POST", "/subtasks/1/retry"),
        ("POST", "/subtasks/1/skip"),
        ("POST", "/subtasks/1/cancel"),
        ("POST", "/downloadDiagnosis"),
    ],
)
async def test_it_is_neither_shown_nor_changed(api: Api, method: str, path: str) -> None:
    refused = await api.client.request(method, f"{TASK}{path}")
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, SENTENCE)
    assert api.dispatcher.submitted == []


async def test_its_request_made_again_is_answered_by_a_newer_server_alone(api: Api) -> None:
    again = await api.stop([1, 2], headers=KEY)
    assert (again.status_code, again.json()["error"]["message"]) == (503, SENTENCE)
    assert api.dispatcher.submitted == []


async def test_it_is_listed_as_far_as_an_older_server_knows_it(api: Api) -> None:
    (listed,) = (await api.client.get("/api/v2/tasks/instances")).json()["data"]["contents"]
    assert (listed["id"], listed["status"], listed["creator"]["name"]) == (1, "RUNNING", "admin")
    assert not {"progress", "subtasks"} & set(listed)


async def test_a_released_brake_sets_only_known_tasks_going(api: Api) -> None:
    await api.client.post("/api/v2/fleet/brake", json={"reason": "smoke"})
    await api.stop([2])
    api.dispatcher.submitted.clear()
    assert (await api.client.delete("/api/v2/fleet/brake")).json()["data"]["republished"] == 1
