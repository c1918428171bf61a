"""`ocpfleet stop`, `restart` and `start` against the API itself."""

import asyncio
import json
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from cli.remote import client
from core.record import TaskRecord
from core.user import Role, User
from infra.store.host_values import HostEntry
from tests.support.api import CHEAP, KEY, entry
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


@pytest.fixture(autouse=True)
def _hosts(app: FastAPI, store: FakeStore) -> None:
    assert isinstance(app, FastAPI)
    hosts = [entry(1000 + number, f"web-{number}", KEY) for number in range(1, 21)]
    asyncio.run(store.hosts.put([*hosts, entry(7)], 0))


def submitted(app: FastAPI) -> list[TaskRecord]:
    return list(app.state.context.dispatcher.submitted)


def hosts_of(store: FakeStore, task_id: int) -> tuple[int, ...]:
    return asyncio.run(store.tasks.host_ids(task_id))


@pytest.mark.parametrize(
    ("verb", "slug"),
    [("stop", "batch_stop_agents"), ("restart", "batch_restart_agents"), ("start", "batch_start_agents")],
)
def test_a_pattern_becomes_one_task(command: Command, app: FastAPI, store: FakeStore, verb: str, slug: str) -> None:
    code, out, err = command(verb, "web-[2-4]", "7", "web-3", "1002")
    (task,) = submitted(app)
    assert (code, err) == (0, "")
    assert out == f"Task 1: {task.task_type.name}, 4 hosts.\nWatch it:  ocpfleet task follow 1\n"
    assert task.task_type.slug == slug
    assert hosts_of(store, 1) == (1002, 1003, 1004, 7)


@pytest.mark.parametrize("verb", ["stop", "restart", "start"])
def test_one_host_is_a_batch_of_one_without_single(command: Command, app: FastAPI, verb: str) -> None:
    assert command(verb, "web-1")[0] == 0
    code, out, _ = command(verb, "web-1", "--single", "--json")
    assert code == 0
    assert json.loads(out)["hostId"] == 1001
    assert [task.task_type.parallel for task in submitted(app)] == [True, False]
    code, _, err = command(verb, "web-[1-2]", "--single")
    assert (code, err) == (2, "--single takes one host, not 2.\n")


def test_unknown_hosts_are_named_and_nothing_is_sent(command: Command, app: FastAPI) -> None:
    code, out, err = command("stop", "web-[19-22]", "db-1")
    assert (code, out) == (2, "")
    assert err.startswith("Not in the inventory: db-1, web-[21-22]. Nothing was done.")
    assert submitted(app) == []


def test_a_dry_run_shows_hosts_and_commands_and_sends_nothing(command: Command, app: FastAPI, store: FakeStore) -> None:
    target = entry(30, "db").target
    sudo = replace(target, sudo=True, agent_home="/opt/my agent", agent_prefix="ob", address="fd00::7")
    asyncio.run(store.hosts.put([HostEntry(sudo, "db")], 0))
    code, out, _ = command("restart", "db", "web-1", "--dry-run")
    assert code == 0
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "id alias address user held by command",
        "30 db [fd00::7]:22 admin sudo -n '/opt/my agent/bin/ob_agentctl' stop",
        "sudo -n '/opt/my agent/bin/ob_agentctl' start",
        "1001 web-1 10.0.3.233:22 admin /home/admin/ocp_agent/bin/ocp_agentctl stop",
        "/home/admin/ocp_agent/bin/ocp_agentctl start",
        "Would restart the agents of 2 hosts. Nothing was sent.",
    ]
    code, out, _ = command("stop", "db", "--dry-run", "--json")
    assert json.loads(out) == [
        {
            "id": 30,
            "alias": "db",
            "address": "[fd00::7]:22",
            "user": "admin",
            "sudo": True,
            "holderTaskId": None,
            "commands": ["sudo -n '/opt/my agent/bin/ob_agentctl' stop"],
        }
    ]
    assert submitted(app) == []


def test_the_same_key_is_the_same_task(command: Command, store: FakeStore) -> None:
    for replayed in (False, True):
        code, out, _ = command("stop", "web-1", "--idempotency-key", "k1")
        assert code == 0
        assert out.startswith("Task 1: ")
        assert ("The same request was made before" in out) == replayed
    code, _, err = command("stop", "web-2", "--idempotency-key", "k1")
    assert code == 1
    assert err.startswith("Idempotency-Key: k1 belongs to another request")
    assert asyncio.run(store.tasks.head(2)) is None


@pytest.mark.parametrize(("answer", "code", "tasks"), [(True, 0, 1), (False, 1, 0)])
def test_a_person_is_asked_before_many_agents_stop(
    command: Command, *, app: FastAPI, monkeypatch: pytest.MonkeyPatch, answer: object, code: int, tasks: int
) -> None:
    questions: list[str] = []

    def confirm(question: str, **_: object) -> object:
        questions.append(question)
        return answer

    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.confirm", confirm)
    assert command("stop", "web-[1-20]")[0] == code
    assert questions == ["20 hosts: web-[1-20]\nStop their agents?"]
    assert len(submitted(app)) == tasks
    assert command("stop", "web-[1-2]", "--yes")[0] == 0
    assert command("start", "web-[1-2]")[0] == 0
    assert command("stop", "web-1")[0] == 0
    assert len(questions) == 1


def test_a_role_without_permission(command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(store.users.put(User(0, "ann", CHEAP.hash("ann-password"), frozenset({Role.HOST_VIEWER}))))
    monkeypatch.setenv("OCPFLEET_API_USER", "ann")
    monkeypatch.setenv("OCPFLEET_API_PASSWORD", "ann-password")
    code, _, err = command("stop", "web-1")
    assert code == 4
    assert err.startswith("User ann has no permission HOST:*:CHANGE. Ask for one of the roles ADMIN, HOST_MANAGER")
    assert "[trace id " in err
    monkeypatch.setenv("OCPFLEET_API_PASSWORD", "wrong")
    code, _, err = command("stop", "web-1")
    assert (code, err.partition(" [")[0]) == (4, "The user name or the password is wrong.")


def test_requests_are_signed_with_an_access_key(
    command: Command, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = json.loads(command("key", "add", "admin", "--json")[1])
    for name in ("API_USER", "API_PASSWORD"):
        monkeypatch.delenv(f"OCPFLEET_{name}")
    monkeypatch.setenv("OCPFLEET_ACCESS_KEY", made["accessKey"])
    monkeypatch.setenv("OCPFLEET_SECRET_KEY", made["secretKey"])
    assert command("task", "list", "--status", "running,failed", "--creator", "a b")[0] == 0
    # The very same request twice within a second is two requests, and neither is taken for a replay.
    assert [command("stop", "web-1")[0] for _ in range(2)] == [0, 0]
    assert len(submitted(app)) == 2


def test_an_api_that_is_not_there(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_http(address: object) -> httpx.AsyncClient:
        def refuse(_: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("Connection refused")

        assert address
        return httpx.AsyncClient(base_url="http://fleet/api/v2", transport=httpx.MockTransport(refuse))

    monkeypatch.setattr(client, "open_http", open_http)
    code, out, err = command("stop", "web-1")
    assert (code, out) == (3, "")
    assert err == (
        "Nothing answers at http://fleet (Connection refused). Check that the API runs there, or give the right "
        "address with --api, OCPFLEET_API_URL or the client file.\n"
    )
