"""Who did what, and who was refused."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from core.user import Role
from infra.logs import configure_logging
from tests.support.api import NOW, STOP, Api, entry, running_api
from tests.support.failing import FailingPart
from tests.support.fake_store import FakeStore
from tests.support.signing import access_key

AUDIT = "/api/v2/audit"
HOSTS = "/api/v2/compute/hosts"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(key_file=tmp_path / "key", rate_limit_10_seconds=200) as running:
        await running.store.hosts.put([entry(host_id) for host_id in range(1, 9)], 0)
        yield running


async def entries(api: Api, query: str = "") -> list[dict[str, Any]]:
    answer = await api.client.get(f"{AUDIT}{query}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["data"]["contents"]
    return found


async def test_a_change_is_kept_with_its_task(api: Api) -> None:
    await api.stop(range(1, 9), headers={"x-trace-id": "t-1"})
    (kept,) = await entries(api)
    assert kept == {
        "accessKey": None,
        "code": 0,
        "fields": {"hostIds": "1, 2, 3, 4, 5 and 3 more"},
        "id": 1,
        "message": None,
        "method": "POST",
        "path": STOP,
        "proof": "PASSWORD",
        "source": "127.0.0.1",
        "status": 200,
        "taskId": 1,
        "time": kept["time"],
        "traceId": "t-1",
        "user": "admin",
    }


async def test_a_signed_change_names_its_key(api: Api, tmp_path: Path) -> None:
    auth = await access_key(api.store, tmp_path / "key", "admin", NOW)
    await api.stop([1], auth=auth)
    await api.stop([1], auth=auth)
    refused, done = await entries(api)
    assert (done["user"], done["proof"], done["accessKey"]) == ("admin", "ACCESS_KEY", auth.key_id)
    assert (refused["status"], refused["code"], refused["taskId"]) == (401, 30004, None)
    assert (refused["user"], refused["proof"], refused["accessKey"]) == ("admin", "NONE", None)
    assert "used before" in refused["message"]


async def test_refusals_are_kept_and_looks_are_not(api: Api) -> None:
    viewer = await api.user("viewer", Role.HOST_VIEWER)
    await api.client.get(HOSTS)
    await api.client.get("/healthz")
    await api.client.get(f"{HOSTS}/99")
    assert await entries(api) == []
    await api.stop([1], auth=viewer)
    await api.client.get("/api/v2/tasks/instances/1", auth=viewer)
    await api.client.get(HOSTS, auth=("viewer", "hunter2"))
    await api.client.get(HOSTS, auth=("my-password", "hunter2"))
    await api.client.get(HOSTS, auth=None)
    found = await entries(api)
    assert [(one["user"], one["proof"], one["status"], one["code"]) for one in found] == [
        (None, "NONE", 401, 0),
        (None, "NONE", 401, 30004),
        ("viewer", "NONE", 401, 30004),
        ("viewer", "PASSWORD", 403, 30014),
        ("viewer", "PASSWORD", 403, 30014),
    ]
    text = json.dumps(found)
    assert "hunter2" not in text
    assert "my-password" not in text, "a name that nobody has may be a password"


async def test_a_request_that_was_one_too_many_is_kept() -> None:
    async with running_api(rate_limit_10_seconds=1) as api:
        viewer = await api.user("viewer", Role.HOST_VIEWER)
        for _ in range(2):
            await api.client.get(HOSTS, auth=viewer)
        (kept,) = await entries(api)
        assert (kept["user"], kept["status"], kept["code"]) == ("viewer", 429, 0)


async def test_a_change_that_could_not_be_done_is_kept_with_what_was_wrong(api: Api) -> None:
    await api.stop([99])
    await api.client.post(STOP, content="{", headers={"content-type": "application/json"})
    wrong, unknown = await entries(api)
    assert (unknown["status"], unknown["code"], unknown["fields"]) == (404, 10002, {"hostIds": "99"})
    assert unknown["message"].startswith("hostIds: not in the inventory: 99.")
    assert (wrong["status"], wrong["fields"]) == (400, {})


async def test_the_task_of_a_path_is_named(api: Api) -> None:
    viewer = await api.user("viewer", Role.HOST_VIEWER)
    await api.client.get("/api/v2/tasks/instances/17/subtasks/3/log", auth=viewer)
    for text in ("seventeen", "9" * 19, "9" * 400, "%D9%A3"):
        await api.client.get(f"/api/v2/tasks/instances/{text}", auth=viewer)
    assert [one["taskId"] for one in await entries(api)] == [*[None] * 4, 17]


async def test_pages_newest_first(api: Api) -> None:
    for _ in range(5):
        await api.stop([1])
    answer = await api.client.get(f"{AUDIT}?page=2&size=2")
    data = answer.json()["data"]
    assert [one["id"] for one in data["contents"]] == [3, 2]
    assert data["page"] == {"number": 2, "size": 2, "totalElements": 5, "totalPages": 3}
    assert (await api.client.get(f"{AUDIT}?page=9")).json()["data"]["contents"] == []
    for query in ("page=0", "size=2001", "size=x"):
        assert (await api.client.get(f"{AUDIT}?{query}")).status_code == 400


async def test_only_admins_read_it(api: Api) -> None:
    for role in Role:
        auth = await api.user(f"a-{role}", role)
        assert (await api.client.get(AUDIT, auth=auth)).status_code == (200 if role is Role.ADMIN else 403)


async def test_strangers_cannot_push_real_entries_out(api: Api) -> None:
    await api.stop([1])
    for _ in range(30):
        await api.client.get(HOSTS, auth=None)
    await api.stop([1])
    found = await entries(api, "?size=100")
    assert [one["proof"] for one in found] == ["PASSWORD", *["NONE"] * 20, "PASSWORD"]


class FallingAudit(FakeStore):
    """A store whose audit can be made to fail."""

    broken: Any = None

    @property
    @override
    def audit(self) -> Any:
        return self.broken or super().audit


async def test_a_request_that_becomes_a_task_is_kept_with_it_once() -> None:
    store = FallingAudit()
    async with running_api(store) as api:
        await store.hosts.put([entry(1)], 0)
        store.broken = FailingPart(store.audit, "append")
        await api.stop([1], headers={"Idempotency-Key": "k-1"})
        store.broken = None
        assert [(one["status"], one["taskId"]) for one in await entries(api)] == [(200, 1)]
        await api.stop([1], headers={"Idempotency-Key": "k-1"})
        assert [(one["id"], one["status"], one["taskId"]) for one in await entries(api)] == [(2, 200, 1), (1, 200, 1)]


async def test_where_replicas_may_refuse_a_task_it_is_kept_with_the_reply() -> None:
    async with running_api(replicas=1) as api:
        await api.store.hosts.put([entry(1)], 0)
        await api.stop([1])
        assert [(one["status"], one["taskId"]) for one in await entries(api)] == [(200, 1)]


async def test_a_fault_after_the_task_was_stored_is_kept_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.agents.routes.render_new_task", lambda *_: 1 / 0)
    assert (await api.stop([1])).status_code == 500
    failed, stored = await entries(api)
    assert (failed["status"], stored["status"], stored["taskId"]) == (500, 200, 1)


async def test_a_store_that_does_not_take_the_entry_costs_no_reply_and_the_log_has_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = FallingAudit()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    async with running_api(store) as api:
        await store.hosts.put([entry(2)], 0)
        store.broken = FailingPart(store.audit, "append")
        configure_logging("json", "info")
        try:
            done = await api.client.post(f"{HOSTS}/2/protection", headers={"x-trace-id": "t-2"})
            assert done.status_code == 200
        finally:
            root.handlers, root.level = handlers, level
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told, failed = [line for line in lines if line["logger"] == "ocpfleet.audit"]
    assert told | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "logger": "ocpfleet.audit",
        "event": "audit",
        "accessKey": None,
        "code": 0,
        "fields": {},
        "message": "",
        "method": "POST",
        "path": f"{HOSTS}/2/protection",
        "proof": "PASSWORD",
        "source": "127.0.0.1",
        "status": 200,
        "taskId": None,
        "traceId": "t-2",
        "user": "admin",
    }
    assert (failed["level"], failed["reason"]) == ("error", "The store does not answer.")
