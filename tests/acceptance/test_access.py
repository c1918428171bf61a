"""Two API processes, a user, and a program that signs with its access key, written from OCP's description alone."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.own_signature import Signing
from tests.support.system import STOP, of_step, running, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.system import Json, System


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    settings = {"OCPFLEET_EXECUTOR": "stub", "OCPFLEET_LOGIN_FAILURES": "3"}
    with running(tmp_path / "system", workers=1, **settings) as system:
        yield system


def _driven_to_its_end(client: httpx.Client, task_id: int) -> Json:
    """Look at a task until it has ended, as a program does that knows nothing but its access key."""
    seen: list[Json] = []

    def over() -> bool:
        reply = client.get(f"/tasks/instances/{task_id}")
        assert reply.status_code == httpx.codes.OK, reply.text
        seen.append(reply.json()["data"])
        return bool(seen[-1]["status"] != "RUNNING")

    wait_until(over, 30, "the task to end")
    return seen[-1]


def test_a_program_signs_its_requests(system: System) -> None:
    asyncio.run(system.add_hosts([stub_target(1), stub_target(2)]))
    admin = system.client.auth
    first = system.api
    system.start_api("api-2")
    system.command("user", "add", "--direct", "robot", "--role", "HOST_MANAGER", "--role", "TASK_VIEWER")
    shown = system.command("key", "add", "--direct", "robot", "--description", "the nightly job")
    found = re.search(r"AK: (\w+)\nSK, shown once: (\w+)\n", shown)
    assert found
    signing = Signing(found[1], found[2], time.time_ns() // 1_000_000)

    with (
        httpx.Client(base_url=f"{first}/api/v2", auth=signing, timeout=30) as one,
        httpx.Client(base_url=f"{system.api}/api/v2", auth=signing, timeout=30) as other,
    ):
        assert [host["id"] for host in one.get("/compute/hosts?size=5&page=1").json()["data"]["contents"]] == [1, 2]
        made = one.post("/compute/hosts/batchStopAgents", json={"hostIds": [1, 2]}, headers={"x-ocp-data": "A,1"})
        assert made.status_code == httpx.codes.OK, made.text
        task = made.json()["data"]
        ended = _driven_to_its_end(other, task["id"])
        assert (task["creator"], ended["status"]) == ("robot", "SUCCESSFUL")
        assert ended == system.task(task["id"])
        listed = other.get("/tasks/instances?status=SUCCESSFUL,FAILED&size=5&creator=robot&name=Batch%20stop")
        assert [each["id"] for each in listed.json()["data"]["contents"]] == [task["id"]]
        for subtask in of_step(ended, STOP):
            log = one.get(f"/tasks/instances/{task['id']}/subtasks/{subtask['id']}/log?runTime=1")
            assert "Stopped: processes " in log.json()["data"]["log"]
        assert other.get("/audit").status_code == httpx.codes.FORBIDDEN

        # The very same request once more, to the other process, as somebody who listened would send it.
        request = made.request
        again = httpx.Request(
            "POST", f"{system.api}{request.url.path}", headers=request.headers, content=request.content
        )
        replayed = other.send(again, auth=None)
        assert (replayed.status_code, replayed.json()["error"]["code"]) == (401, 30004)
        assert "used before" in replayed.json()["error"]["message"]

        system.command("key", "remove", "--direct", found[1])
        assert one.get("/compute/hosts").status_code == httpx.codes.UNAUTHORIZED

    for number in range(4):
        answer = httpx.get(f"{first if number % 2 else system.api}/api/v2/audit", auth=("robot", "wrong"), timeout=30)
        assert answer.json()["error"]["code"] == (30004 if number < 3 else 30007)
    assert answer.headers["retry-after"]
    proxied = {"X-Forwarded-For": "203.0.113.7"}
    answer = httpx.get(f"{system.api}/api/v2/audit", auth=("robot", "wrong"), headers=proxied, timeout=30)
    assert answer.json()["error"]["code"] == 30004, "another client of the proxy is heard"

    assert admin is not None
    system.client.auth = admin
    kept = system.client.get("/audit?size=100").json()["data"]["contents"]
    told = [(one["method"], one["user"], one["status"], one["taskId"], one["proof"]) for one in reversed(kept)]
    (operator,) = {one["user"] for one in kept if one["proof"] == "LOCAL"}
    assert told == [
        ("COMMAND", operator, 200, None, "LOCAL"),
        ("COMMAND", operator, 200, None, "LOCAL"),
        ("POST", "robot", 200, task["id"], "ACCESS_KEY"),
        ("GET", "robot", 403, None, "ACCESS_KEY"),
        ("POST", "robot", 401, None, "NONE"),
        ("COMMAND", operator, 200, None, "LOCAL"),
        ("GET", None, 401, None, "NONE"),
        *[("GET", "robot", 401, None, "NONE")] * 5,
    ]
    assert [one["source"] for one in kept[:2]] == ["203.0.113.7", "127.0.0.1"]
    secret = found[2]
    logs = "".join(path.read_text() for path in (system.directory / "logs").iterdir())
    assert secret not in logs
    assert secret not in str(kept)
