"""Requests that are made again under the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from core.user import Role
from tests.support.api import NO_BROKER, NOW, Api, entry, running_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = {"Idempotency-Key": "9f0c-1"}


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running_api() as api:
        await api.store.hosts.put([entry(1), entry(2)], NOW)
        yield api


async def test_the_same_request_again_is_the_same_task_and_the_same_reply(api: Api) -> None:
    first = await api.stop([2, 1], headers=KEY)
    assert "Idempotency-Replayed" not in first.headers
    await api.store.tasks.cancel((await api.store.tasks.heads([1]))[1], NOW)

    again = await api.stop([2, 1], headers=KEY)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["data"] == first.json()["data"]
    assert (await api.stop([2, 1])).json()["data"]["id"] == 2


@pytest.mark.parametrize("hosts", [[1, 2], [2]])
async def test_another_request_under_the_same_key_is_refused(api: Api, hosts: list[int]) -> None:
    await api.stop([2, 1], headers=KEY)
    refused = await api.stop(hosts, headers=KEY)
    assert refused.status_code == httpx.codes.CONFLICT
    assert refused.json()["error"]["message"].startswith(
        "Idempotency-Key: 9f0c-1 belongs to another request that you made"
    )
    assert len(api.dispatcher.submitted) == 1


async def test_another_kind_of_request_under_the_same_key_is_refused(api: Api) -> None:
    await api.client.post("/api/v2/compute/hosts/1/agent/stop", headers=KEY)
    refused = await api.client.post("/api/v2/compute/hosts/1/agent/restart", headers=KEY)
    assert refused.status_code == httpx.codes.CONFLICT


async def test_a_key_is_its_users_own(api: Api) -> None:
    await api.stop([1], headers=KEY)
    other = await api.stop([2], headers=KEY, auth=await api.user("other", Role.HOST_MANAGER))
    assert other.json()["data"]["id"] == 2


async def test_a_task_is_the_same_whether_or_not_the_broker_took_it(api: Api) -> None:
    api.dispatcher.fault = NO_BROKER
    first = await api.stop([1], headers=KEY)
    assert first.status_code == httpx.codes.OK
    again = await api.stop([1], headers=KEY)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["data"] == first.json()["data"]


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
async def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    refused = await api.stop([1], headers={"Idempotency-Key": key})
    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert refused.json()["error"]["subErrors"][0]["field"] == "Idempotency-Key"
