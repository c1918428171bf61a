"""What a stranger gets: `make up`, the seed's request, Flower, and nothing left behind. And the demo."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from demo.agents import StandInAgent
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("up")  # one process starts their system, once

ROOT = Path(__file__).parents[2]
SEED = json.loads((ROOT / "tests" / "data" / "seed-batch-stop-reply.json").read_text())


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "up"


@pytest.fixture(scope="module")
def facts(directory: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "demo.main", "up", "--directory", str(directory)]
    output = directory.with_name("output")
    with output.open("wb") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process:
        try:
            file = directory.with_name("up.json")
            wait_until(lambda: file.exists() or process.poll() is not None, 60, "the facts to be written")
            assert process.poll() is None, output.read_text()
            for private in (file, _client(directory)):
                assert stat.S_IMODE(private.stat().st_mode) == 0o600
            yield json.loads(file.read_text())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    assert process.returncode == 0, output.read_text()
    assert not file.exists()
    assert not _client(directory).exists()
    assert _left(directory) == []


def _client(directory: Path) -> Path:
    return directory.with_name("up-client.toml")


def _left(directory: Path) -> list[str]:
    """Return the command lines of processes that belong to a directory."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in line and int(process.name) != os.getpid():
            lines.append(line)
    return lines


@pytest.fixture(scope="module")
def api(facts: dict[str, Any]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=facts["api"], auth=(facts["user"], facts["password"]), timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def reply(api: httpx.Client, facts: dict[str, Any]) -> dict[str, Any]:
    answer = api.post("/compute/hosts/batchStopAgents", json={"hostIds": facts["hosts"][:1]})
    assert answer.status_code == httpx.codes.OK, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_the_reply_has_the_fields_of_the_seed_and_no_others(reply: dict[str, Any]) -> None:
    assert sorted(reply) == sorted(SEED)
    assert sorted(reply["data"]) == sorted(SEED["data"])
    for ours in reply["data"]["subtasks"]:
        theirs = next(each for each in SEED["data"]["subtasks"] if each["className"] == ours["className"])
        assert sorted(ours) == sorted(theirs)


def test_what_does_not_depend_on_the_request_is_as_in_the_seed(reply: dict[str, Any], facts: dict[str, Any]) -> None:
    varying = {"id", "startTime", "executor", "subtasks", "context"}
    assert {key: value for key, value in reply["data"].items() if key not in varying} == {
        key: value for key, value in SEED["data"].items() if key not in varying
    }
    assert (reply["status"], reply["successful"]) == (SEED["status"], SEED["successful"])
    context = {**SEED["data"]["context"], "listMap": {"host_ids": [str(facts["hosts"][0])]}}
    assert reply["data"]["context"] == context


def test_the_graph_is_the_seeds_graph(reply: dict[str, Any]) -> None:
    assert _graph(reply["data"]) == _graph(SEED["data"])


def _graph(task: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return a task's subtasks with its edges by position from the start, independent of ids and seriesIds."""
    by_id = {subtask["id"]: subtask for subtask in task["subtasks"]}

    def depth(subtask: dict[str, Any]) -> int:
        return 1 + max((depth(by_id[upstream]) for upstream in subtask["upstreams"]), default=-1)

    def places(ids: list[int]) -> list[tuple[int, str]]:
        return sorted((depth(by_id[each]), by_id[each]["name"]) for each in ids)

    first = ("className", "description", "name", "nodeType", "operation", "parallelIdx", "prohibitRollback")
    rest = (*first, "runTime", "status", "timeout")
    return sorted(
        (depth(each), *(each[key] for key in rest), places(each["upstreams"]), places(each["downstreams"]))
        for each in task["subtasks"]
    )


def test_the_task_succeeds_and_the_agents_processes_are_gone(
    api: httpx.Client, reply: dict[str, Any], directory: Path
) -> None:
    path = f"/api/v2/tasks/instances/{reply['data']['id']}"
    wait_until(lambda: api.get(path).json()["data"]["status"] != "RUNNING", 60, "the task to end")
    assert api.get(path).json()["data"]["status"] == "SUCCESSFUL"
    assert StandInAgent.at(directory / "hosts" / "host-1" / "home" / "admin" / "ocp_agent").list_processes() == []


def test_flower_shows_the_stop_with_arguments_that_a_person_can_read(
    facts: dict[str, Any], reply: dict[str, Any]
) -> None:
    auth = (facts["user"], facts["password"])

    def shown() -> dict[str, str]:
        tasks = httpx.get(f"{facts['flower']}/api/tasks", auth=auth, timeout=10).json()
        return {task["name"]: task["args"] for task in tasks.values() if f"task {reply['data']['id']}," in task["args"]}

    names = {"ocpfleet.prepare", "ocpfleet.wait", "ocpfleet.stop", "ocpfleet.stop.lane", "ocpfleet.finish"}
    wait_until(lambda: shown().keys() == names, 30, "Flower to show every step")
    assert "1 host, lane 1 of 1, step 3 of 5: Stop all OCP agent processes" in shown()["ocpfleet.stop.lane"]


def test_flower_asks_for_a_password_and_changes_nothing(facts: dict[str, Any]) -> None:
    assert httpx.get(f"{facts['flower']}/api/tasks", timeout=10).status_code == httpx.codes.UNAUTHORIZED
    auth = (facts["user"], facts["password"])
    answer = httpx.post(
        f"{facts['flower']}/api/task/send-task/ocpfleet.wait", auth=auth, json={"args": [1, 1]}, timeout=10
    )
    assert answer.status_code == httpx.codes.FORBIDDEN


def test_no_password_stands_in_a_command_line(facts: dict[str, Any], directory: Path) -> None:
    redis_password = facts["redis"].split(":")[2].split("@")[0]
    for line in _left(directory) + _left(Path("ocpfleet")):
        assert facts["password"] not in line
        assert redis_password not in line


def test_the_demo_shows_the_job_and_proves_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.main", "demo", "--directory", str(tmp_path / "demo")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("demo: stopped 3 of 3 agents, task ")
    assert last.endswith(" SUCCESSFUL")
    assert _left(tmp_path) == []
