"""Health, trace ids, the OpenAPI document, the first user."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest

from app.auth.first_admin import ensure_admin
from core.errors import Misconfigured
from core.user import Role
from tests.support.api import AGENT_PATHS, CHEAP, NO_BROKER, STOP, Api
from tests.support.fake_store import FakeStore


async def test_the_process_is_up(api: Api) -> None:
    answer = await api.client.get("/healthz", auth=None)
    assert (answer.status_code, answer.json()["data"]) == (200, {"status": "UP"})


async def test_not_ready_without_a_worker(api: Api) -> None:
    answer = await api.client.get("/readyz", auth=None)
    assert answer.status_code == 503
    assert answer.json()["data"] == {
        "brake": "off",
        "broker": "ok",
        "store": "ok",
        "workers": "no worker is alive; start one with `ocpfleet worker`",
    }
    message = answer.json()["error"]["message"]
    assert message == "Not ready: workers: no worker is alive; start one with `ocpfleet worker`."


async def test_ready_with_one_and_not_without_a_broker(api: Api) -> None:
    worker = await api.store.workers.enrol("w")
    await api.store.workers.beat(worker, 60_000)
    answer = await api.client.get("/readyz")
    checks = {"brake": "off", "broker": "ok", "store": "ok", "workers": "ok"}
    assert (answer.status_code, answer.json()["data"]) == (200, checks)
    api.dispatcher.fault = NO_BROKER
    answer = await api.client.get("/readyz")
    assert (answer.status_code, answer.json()["data"]["broker"]) == (503, "does not answer")


@pytest.mark.parametrize(
    ("sent", "adopted"),
    [("688d3147a10b45e8", True), ("a-B_9", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)],
)
async def test_a_sane_trace_id_is_adopted(api: Api, sent: str, *, adopted: bool) -> None:
    for answer in (
        await api.stop([2], headers={"x-trace-id": sent}),
        await api.client.get("/nothing", headers={"x-trace-id": sent}),
    ):
        trace_id = answer.json()["traceId"]
        assert answer.headers.get_list("x-trace-id") == [trace_id]
        if adopted:
            assert trace_id == sent
        else:
            assert len(bytes.fromhex(trace_id)) == 8


async def test_the_document_names_every_route_its_errors_and_its_permission(api: Api) -> None:
    document = (await api.client.get("/openapi.json", auth=None)).json()
    found = {
        f"{method.upper()} {path}": (operation.get("x-required-permission"), bool(operation.get("security")))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert found == {
        **{f"POST {path}": ("HOST:*:CHANGE", True) for path in AGENT_PATHS},
        "GET /api/v2/compute/hosts": ("HOST:*:READ", True),
        "GET /api/v2/compute/hosts/{hostId}": ("HOST:*:READ", True),
        "DELETE /api/v2/compute/hosts/{hostId}": ("HOST:*:CHANGE", True),
        "POST /api/v2/compute/hosts/batchCreate": ("HOST:*:CHANGE", True),
        "POST /api/v2/compute/hosts/batchDelete": ("HOST:*:CHANGE", True),
        "GET /api/v2/compute/hosts/{hostId}/agent": ("HOST:*:READ", True),
        "GET /api/v2/compute/hosts/{hostId}/agent/processes": ("HOST:*:READ", True),
        "POST /api/v2/compute/hosts/{hostId}/agent/processes/{agentProcessId}/stop": ("HOST:*:CHANGE", True),
        "POST /api/v2/compute/hosts/{hostId}/agent/processes/{agentProcessId}/restart": ("HOST:*:CHANGE", True),
        "POST /api/v2/compute/hosts/{hostId}/release": ("HOLD:*:CHANGE", True),
        "POST /api/v2/compute/hosts/{hostId}/protection": ("PROTECTION:*:CHANGE", True),
        "DELETE /api/v2/compute/hosts/{hostId}/protection": ("PROTECTION:*:CHANGE", True),
        "GET /api/v2/fleet/brake": ("TASK:*:READ", True),
        "POST /api/v2/fleet/brake": ("BRAKE:*:CHANGE", True),
        "DELETE /api/v2/fleet/brake": ("BRAKE:*:CHANGE", True),
        "GET /api/v2/tasks/instances": ("TASK:*:READ", True),
        "GET /api/v2/tasks/instances/{taskInstanceId}": ("TASK:*:READ", True),
        "GET /api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/log": ("TASK:*:READ", True),
        "GET /api/v2/audit": ("AUDIT:*:READ", True),
        "GET /api/v2/tasks/instances/{taskInstanceId}/hosts": ("TASK:*:READ", True),
        "GET /api/v2/iam/users": ("USER:*:READ", True),
        "POST /api/v2/iam/users": ("USER:*:CHANGE", True),
        "DELETE /api/v2/iam/users/{name}": ("USER:*:CHANGE", True),
        "POST /api/v2/iam/users/{name}/password": ("USER:*:CHANGE", True),
        "POST /api/v2/iam/users/{name}/roles": ("USER:*:CHANGE", True),
        "GET /api/v2/iam/keys": ("USER:*:READ", True),
        "POST /api/v2/iam/keys": ("USER:*:CHANGE", True),
        "DELETE /api/v2/iam/keys/{accessKey}": ("USER:*:CHANGE", True),
        "POST /api/v2/tasks/instances/{taskInstanceId}/downloadDiagnosis": ("TASK:*:READ", True),
        "GET /api/v2/tasks/instances/{taskInstanceId}/events": ("TASK:*:READ", True),
        "POST /api/v2/tasks/instances/{taskInstanceId}/cancel": ("TASK:*:CHANGE", True),
        "POST /api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/cancel": ("TASK:*:CHANGE", True),
        "POST /api/v2/tasks/instances/{taskInstanceId}/retry": ("TASK:*:CHANGE", True),
        "POST /api/v2/tasks/instances/{taskInstanceId}/rollback": ("TASK:*:CHANGE", True),
        "POST /api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/retry": ("TASK:*:CHANGE", True),
        "POST /api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/skip": ("TASK:*:CHANGE", True),
        "GET /healthz": (None, False),
        "GET /readyz": (None, False),
    }
    assert document["components"]["securitySchemes"] == {
        "basic": {"type": "http", "scheme": "basic", "description": "A user of ocpfleet and its password."},
        "accessKey": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "OCP's signature: `OCP-ACCESS-KEY-HMACSHA1 AK:signature`, with a Date header.",
        },
    }
    stop = document["paths"][STOP]["post"]
    assert stop["requestBody"]["content"]["application/json"]["schema"]["required"] == ["hostIds"]
    assert set(stop["responses"]) == {"200", "400", "401", "403", "404", "409", "413", "415", "429", "503", "default"}
    assert set(stop["responses"]["200"]["headers"]) == {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    beyond = {
        path.removeprefix("/api/v2")
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if "Beyond OCP" in operation.get("description", "")
    }
    assert {path for path in beyond if not path.startswith("/iam/")} == {
        "/audit",
        "/compute/hosts/batchStartAgents",
        "/compute/hosts/{hostId}/agent/start",
        "/compute/hosts/{hostId}/protection",
        "/compute/hosts/{hostId}/release",
        "/fleet/brake",
        "/tasks/instances/{taskInstanceId}/cancel",
        "/tasks/instances/{taskInstanceId}/events",
        "/tasks/instances/{taskInstanceId}/hosts",
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert "422" not in operation["responses"]
    assert (await api.client.get("/docs")).status_code == 200


@pytest.mark.parametrize("terminal", [True, False])
async def test_the_first_start_makes_one_user_and_shows_its_password_once_to_a_terminal_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    store, file = FakeStore(), tmp_path / "var" / "admin-password"
    for _ in range(2):
        await ensure_admin(store.users, CHEAP, file)
    password = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = capsys.readouterr().err
    assert told.count(password) == int(terminal)
    assert told.count(str(file)) == 1
    admin = await store.users.get("admin")
    assert admin is not None
    assert admin.roles == {Role.ADMIN}
    assert CHEAP.matches(admin.password_hash, password)


async def test_of_two_processes_that_start_at_once_one_makes_the_user(tmp_path: Path) -> None:
    store = FakeStore()
    files = [tmp_path / "one" / "password", tmp_path / "two" / "password"]
    await asyncio.gather(*(ensure_admin(store.users, CHEAP, file) for file in files))
    (written,) = [file for file in files if file.exists()]
    admin = await store.users.get("admin")
    assert admin is not None
    assert CHEAP.matches(admin.password_hash, written.read_text().strip())
    assert [name for _, _, names in os.walk(tmp_path) for name in names] == ["password"]


async def test_a_wider_file_that_was_there_does_not_stay_wide(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old")
    file.chmod(0o644)
    await ensure_admin(FakeStore().users, CHEAP, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() != "old"


async def test_no_user_is_made_whose_password_cannot_be_written(tmp_path: Path) -> None:
    store, blocker = FakeStore(), tmp_path / "file"
    blocker.touch()
    with pytest.raises(Misconfigured, match="OCPFLEET_ADMIN_PASSWORD_FILE"):
        await ensure_admin(store.users, CHEAP, blocker / "password")
    assert await store.users.count() == 0
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - names
