"""Protected hosts over the API: no request touches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.hosts.schemas import Host
from app.http.schemas import Reply
from core.claim import require_host_claims
from core.host import STOPPING
from core.user import Role
from tests.support.api import AGENT_PATHS, NOW, Api, entry, running_api
from tests.support.records import PREPARE, claim_step, draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOSTS = "/api/v2/compute/hosts"
LIFT = "ask an administrator to lift the protection: DELETE /api/v2/compute/hosts/ID/protection."


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running_api() as api:
        await api.store.hosts.put([entry(host_id) for host_id in range(1, 4)], NOW)
        yield api


async def _protect(api: Api, host_id: int) -> None:
    reply = await api.client.post(f"{HOSTS}/{host_id}/protection")
    Reply[Host].model_validate_json(reply.content)
    assert (reply.status_code, reply.json()["data"]["protected"]) == (200, True)


async def test_it_is_shown_with_the_host_and_in_the_audit(api: Api) -> None:
    await _protect(api, 2)
    await _protect(api, 2)
    listed = (await api.client.get(HOSTS)).json()["data"]["contents"]
    assert [(host["id"], host["protected"]) for host in listed] == [(1, False), (2, True), (3, False)]
    lifted = await api.client.delete(f"{HOSTS}/2/protection")
    assert lifted.json()["data"]["protected"] is False
    assert (await api.client.delete(f"{HOSTS}/2/protection")).status_code == 200, "asked twice it is the same"
    entries = (await api.client.get("/api/v2/audit")).json()["data"]["contents"]
    assert [(one["method"], one["path"]) for one in entries] == [
        ("DELETE", f"{HOSTS}/2/protection"),
        ("DELETE", f"{HOSTS}/2/protection"),
        ("POST", f"{HOSTS}/2/protection"),
        ("POST", f"{HOSTS}/2/protection"),
    ]


@pytest.mark.parametrize("path", AGENT_PATHS)
async def test_requests_that_name_it_are_refused(api: Api, path: str) -> None:
    await _protect(api, 2)
    reply = await api.ask(path, [2])
    field = "hostId" if "{hostId}" in path else "hostIds"
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 40000)
    assert reply.json()["error"]["message"] == (
        f"{field}: protected hosts: 2. Nothing was done. Leave them out, or {LIFT}"
    )
    assert api.dispatcher.submitted == []
    assert (await api.store.tasks.head(1)) is None


async def test_all_of_many_are_named_up_to_twenty(api: Api) -> None:
    await api.store.hosts.put([entry(host_id) for host_id in range(101, 131)], NOW)
    await api.store.hosts.protect(tuple(range(101, 131)), NOW)
    message = (await api.stop([1, *range(130, 100, -1)])).json()["error"]["message"]
    assert ": 130, 129, " in message
    assert "111 and 10 more. Nothing was done." in message
    chinese = await api.stop([101], headers={"accept-language": "zh-CN"})
    assert chinese.json()["error"]["message"].startswith("hostIds：以下主机受保护")


async def test_deleting_it_and_working_on_its_processes_is_refused(api: Api) -> None:
    await _protect(api, 2)
    for reply in (
        await api.client.delete(f"{HOSTS}/2"),
        await api.client.post(f"{HOSTS}/batchDelete", json={"hostIdList": [1, 2]}),
        await api.client.post(f"{HOSTS}/2/agent/processes/3/stop"),
        await api.client.post(f"{HOSTS}/2/agent/processes/3/restart"),
    ):
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, 40000), reply.text
        assert reply.json()["error"]["message"].startswith("hostId: protected hosts: 2.")
    assert await api.store.hosts.unknown((1, 2)) == ()


async def test_a_host_that_a_task_holds_is_not_protected(api: Api) -> None:
    task = await api.store.tasks.create(draft((1,)))
    await api.store.tasks.take_hosts(require_host_claims(await claim_step(api.store, task, PREPARE)), NOW, STOPPING)
    reply = await api.client.post(f"{HOSTS}/1/protection")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 40000)
    assert reply.json()["error"]["message"].startswith("Host 1 is held by task 1, so nothing was done.")


async def test_unknown_hosts(api: Api) -> None:
    assert (await api.client.post(f"{HOSTS}/9/protection")).status_code == 404
    assert (await api.client.delete(f"{HOSTS}/9/protection")).status_code == 404


async def test_only_an_administrator_protects(api: Api) -> None:
    others = [role for role in Role if role is not Role.ADMIN]
    user = await api.user("everything-else", *others)
    assert (await api.client.post(f"{HOSTS}/1/protection", auth=user)).status_code == 403
    assert (await api.client.delete(f"{HOSTS}/1/protection", auth=user)).status_code == 403
