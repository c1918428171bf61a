"""Two people: one may start work on hosts, the other may look at tasks. Each sees what its roles allow, and no more."""

from __future__ import annotations

import asyncio
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.system import STOP, of_step, running, stub_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, System

SUBMIT = "/compute/hosts/batchStopAgents"
MAY_READ_TASKS = "TASK:*:READ"
MAY_CHANGE_TASKS = "TASK:*:CHANGE"
ROLES_TO_READ_TASKS = (
    "ADMIN, TASK_MANAGER, TASK_VIEWER, CLUSTER_MANAGER, CLUSTER_VIEWER, BACKUP_MANAGER, TENANT_MANAGER or TENANT_VIEWER"
)
ROLES_TO_CHANGE_TASKS = "ADMIN, TASK_MANAGER, CLUSTER_MANAGER or BACKUP_MANAGER"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(tmp_path / "system", workers=1, OCPFLEET_EXECUTOR="stub") as system:
        asyncio.run(system.add_hosts([stub_target(1), stub_target(2)]))
        yield system


@pytest.fixture
def operator(system: System) -> Iterator[httpx.Client]:
    with system.user("operator", "HOST_MANAGER") as client:
        yield client


@pytest.fixture
def watcher(system: System) -> Iterator[httpx.Client]:
    with system.user("watcher", "TASK_VIEWER") as client:
        yield client


def _refused(reply: httpx.Response, sentence: str = "") -> None:
    """See that a reply is OCP's for somebody whose roles do not suffice, all of it."""
    document = reply.json()
    message = document["error"]["message"]
    assert message.startswith(sentence)
    assert document == {
        "duration": document["duration"],
        "error": {"code": 30014, "message": message},
        "server": document["server"],
        "status": 403,
        "successful": False,
        "timestamp": document["timestamp"],
        "traceId": document["traceId"],
    }
    assert reply.status_code == httpx.codes.FORBIDDEN


def _done(reply: httpx.Response) -> httpx.Response:
    assert reply.status_code == httpx.codes.OK, reply.text
    return reply


def test_each_sees_exactly_what_its_roles_allow(system: System, operator: httpx.Client, watcher: httpx.Client) -> None:
    hosts = _done(operator.get("/compute/hosts")).json()["data"]["contents"]
    assert [host["id"] for host in hosts] == [1, 2]
    made: Json = _done(operator.post(SUBMIT, json={"hostIds": [1, 2]})).json()["data"]
    assert made["creator"] == "operator"
    task = f"/tasks/instances/{made['id']}"
    subtask = f"{task}/subtasks/{of_step(made, STOP)[0]['id']}"
    reading = [("GET", "/tasks/instances"), ("GET", task), ("GET", f"{task}/events"), ("GET", f"{subtask}/log")]
    reading.append(("POST", f"{task}/downloadDiagnosis"))
    changing = [("POST", f"{task}/{what}") for what in ("retry", "cancel")]
    changing += [("POST", f"{subtask}/{what}") for what in ("retry", "skip", "cancel")]

    # Who starts a stop may not look at its task, as in OCP.
    for method, path in reading:
        _refused(
            operator.request(method, path),
            f"User operator has no permission {MAY_READ_TASKS}. Ask for one of the roles {ROLES_TO_READ_TASKS}.",
        )
    for method, path in changing:
        _refused(
            operator.request(method, path),
            f"User operator has no permission {MAY_CHANGE_TASKS}. Ask for one of the roles {ROLES_TO_CHANGE_TASKS}.",
        )
    _refused(operator.get("/audit"), "User operator has no permission AUDIT:*:READ. Ask for the role ADMIN.")

    # Who looks at tasks sees all that an administrator sees of them, and changes nothing.
    ended = system.ended(made["id"])
    assert ended["status"] == "SUCCESSFUL"
    assert _done(watcher.get(task)).json()["data"] == ended
    assert ended["creator"]["name"] == "operator"
    listed = _done(watcher.get("/tasks/instances", params={"creator": "operator"})).json()["data"]["contents"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert "Stopped: processes " in _done(watcher.get(f"{subtask}/log")).json()["data"]["log"]
    assert "event: end" in _done(watcher.get(f"{task}/events")).text
    archive = _done(watcher.post(f"{task}/downloadDiagnosis")).content
    assert "task_info.txt" in zipfile.ZipFile(BytesIO(archive)).namelist()
    for method, path in changing:
        _refused(watcher.request(method, path), f"User watcher has no permission {MAY_CHANGE_TASKS}. ")
    _refused(watcher.post(SUBMIT, json={"hostIds": [1]}), "User watcher has no permission HOST:*:CHANGE. ")
    _refused(watcher.get("/compute/hosts"), "User watcher has no permission HOST:*:READ. ")
    _refused(watcher.get("/compute/hosts/1"), "User watcher has no permission HOST:*:READ. ")
    _refused(watcher.get("/audit"), "User watcher has no permission AUDIT:*:READ. ")
    assert system.task(made["id"]) == ended

    # The audit shows both: what was done, and what was refused.
    kept = system.client.get("/audit?size=100").json()["data"]["contents"]
    told = [(one["user"], one["method"], one["path"], one["status"], one["code"], one["taskId"]) for one in kept]
    number, prefix = made["id"], "/api/v2"
    assert [each for each in reversed(told) if each[0] == "operator"] == [
        ("operator", "POST", f"{prefix}{SUBMIT}", 200, 0, number),
        *(
            ("operator", method, f"{prefix}{path}", 403, 30014, None if path == "/tasks/instances" else number)
            for method, path in (*reading, *changing)
        ),
        ("operator", "GET", f"{prefix}/audit", 403, 30014, None),
    ]
    assert [each for each in reversed(told) if each[0] == "watcher"] == [
        ("watcher", "POST", f"{prefix}{task}/downloadDiagnosis", 200, 0, number),
        *(("watcher", method, f"{prefix}{path}", 403, 30014, number) for method, path in changing),
        ("watcher", "POST", f"{prefix}{SUBMIT}", 403, 30014, None),
        ("watcher", "GET", f"{prefix}/compute/hosts", 403, 30014, None),
        ("watcher", "GET", f"{prefix}/compute/hosts/1", 403, 30014, None),
        ("watcher", "GET", f"{prefix}/audit", 403, 30014, None),
    ]
    (submitted,) = (one for one in kept if one["path"] == f"{prefix}{SUBMIT}" and one["status"] == httpx.codes.OK)
    assert submitted["fields"] == {"hostIds": "1, 2"}
    assert {one["proof"] for one in kept if one["user"] in {"operator", "watcher"}} == {"PASSWORD"}
