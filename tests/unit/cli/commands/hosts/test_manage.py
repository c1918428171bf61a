"""`ocpfleet hosts list|show|release|delete` against the API, and against the contract of what is not built yet."""

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI

from cli.remote import client
from core.lease import Lease
from tests.support.api import KEY, entry
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


def put(store: FakeStore, *ids: int, key: str | None = None) -> None:
    asyncio.run(store.hosts.put([entry(host_id, f"h{host_id}", key) for host_id in ids], 0))


def test_list(command: Command, app: FastAPI, store: FakeStore) -> None:
    assert app
    put(store, 1, 700, key=KEY)
    code, out, _ = command("hosts", "list")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["id", "alias", "address", "user", "status", "agent", "held", "by", "host", "key"],
        ["1", "h1", "10.0.0.1:22", "admin", "ONLINE", "AVAILABLE", "pinned"],
        ["700", "h700", "10.0.2.188:22", "admin", "ONLINE", "AVAILABLE", "pinned"],
    ]
    _, out, _ = command("hosts", "list", "--json")
    assert [(host["id"], host["alias"]) for host in json.loads(out)] == [(1, "h1"), (700, "h700")]
    _, out, _ = command("hosts", "list", "h[700]", "--json")
    assert [host["id"] for host in json.loads(out)] == [700]
    assert command("hosts", "list", "h[1-2]")[0] == 2


def test_list_of_more_hosts_than_a_page(command: Command, app: FastAPI, store: FakeStore) -> None:
    assert app
    put(store, *range(1, 4003))
    _, out, _ = command("hosts", "list", "--json")
    assert [host["id"] for host in json.loads(out)] == list(range(1, 4003))


def test_show(command: Command, app: FastAPI, store: FakeStore) -> None:
    assert app
    put(store, 1)
    code, out, _ = command("hosts", "show", "h1")
    assert code == 0
    facts = [" ".join(line.split()) for line in out.splitlines()]
    assert facts[:4] == ["host 1", "alias h1", "address 10.0.0.1:22", "user admin"]
    assert "host key none pinned: `ocpfleet hosts trust ID`" in facts
    assert json.loads(command("hosts", "show", "1", "--json")[1])["alias"] == "h1"
    code, _, err = command("hosts", "show", "h9")
    assert (code, err.partition(".")[0]) == (2, "Not in the inventory: h9")


HOST = {
    "agentHome": "/home/admin/ocp_agent",
    "alias": "web-1",
    "createTime": "2026-01-01T00:00:00+00:00",
    "holderTaskId": None,
    "hostAgentStatus": "AVAILABLE",
    "hostAgentVersion": None,
    "hostKeyFingerprint": None,
    "id": 1,
    "innerIpAddress": "fd00::1",
    "sshPort": 22,
    "sshUser": "admin",
    "status": "ONLINE",
    "sudo": True,
    "updateTime": "2026-01-01T00:00:00+00:00",
}
PROCESSES = [
    {"alias": "ocp_agentd", "pid": 42, "status": "STARTED", "user": "admin", "ports": None, "elapsedTime": 7},
    {"alias": "ocp_mgragent", "pid": 0, "status": "STOPPED", "user": None, "ports": None, "elapsedTime": 0},
]
AGENT = {"status": "AVAILABLE", "version": "4.3.1", "installHome": "/home/admin/ocp_agent", "processes": PROCESSES}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Answer as the API will; remember what it is asked to change."""
    changes: list[tuple[str, str, str]] = []
    hosts = [HOST, HOST | {"id": 2, "alias": "web-2"}, HOST | {"id": 3, "alias": "web-3", "holderTaskId": 17}]

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v2/compute/hosts")
        if request.method != "GET":
            changes.append((request.method, path, request.content.decode()))
        match request.method, path:
            case "POST", "/3/release":
                error = {"code": 20003, "message": "Task 17 works on it."}
                return httpx.Response(400, json={"traceId": "t1", "error": error})
            case ("POST", "/batchDelete") | ("DELETE", _):
                return httpx.Response(200, json={"traceId": "t1"})
            case "GET", "":
                data: object = {"contents": hosts}
            case "GET", "/1/agent":
                data = AGENT
            case _:
                data = HOST
        return httpx.Response(200, json={"traceId": "t1", "data": data})

    def open_http(address: object) -> httpx.AsyncClient:
        assert address
        return httpx.AsyncClient(base_url="http://fleet/api/v2", transport=httpx.MockTransport(answer))

    monkeypatch.setattr(client, "open_http", open_http)
    monkeypatch.setenv("OCPFLEET_API_USER", "admin")
    monkeypatch.setenv("OCPFLEET_API_PASSWORD", "admin-password")
    return changes


def test_show_with_a_look_at_the_agent(command: Command, asked: list[tuple[str, str, str]]) -> None:
    code, out, _ = command("hosts", "show", "web-1", "--agent")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert "address [fd00::1]:22" in lines
    assert "user admin, with sudo" in lines
    assert lines[-4:] == [
        "Agent 4.3.1 in /home/admin/ocp_agent: AVAILABLE",
        "process pid status user ports up for",
        "ocp_agentd 42 STARTED admin 7 s",
        "ocp_mgragent STOPPED",
    ]
    assert json.loads(command("hosts", "show", "web-1", "--agent", "--json")[1]) == HOST | {"agent": AGENT}
    assert asked == []


def test_release_frees_what_it_can_and_names_the_rest(command: Command, asked: list[tuple[str, str, str]]) -> None:
    assert command("hosts", "release", "web-1") == (0, "Released web-1: agent AVAILABLE, free.\n", "")
    code, out, err = command("hosts", "release", "web-[1,3]")
    assert (code, out) == (1, "Released web-1: agent AVAILABLE, free.\n")
    assert err == "web-3 (3): Task 17 works on it. [trace id t1]\n"
    assert [path for _, path, _ in asked] == ["/1/release", "/1/release", "/3/release"]


def test_delete_of_one_and_of_many(command: Command, asked: list[tuple[str, str, str]]) -> None:
    assert command("hosts", "delete", "web-2") == (0, "Deleted 1 host (web-2).\n", "")
    assert command("hosts", "delete", "web-[1-2]") == (0, "Deleted 2 hosts (web-[1-2]).\n", "")
    assert asked == [("DELETE", "/2", ""), ("POST", "/batchDelete", '{"hostIdList":[1,2]}')]


@pytest.mark.parametrize("verb", ["release", "delete"])
def test_a_person_is_asked_first(
    command: Command, asked: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr("cli.output.is_interactive", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert command("hosts", verb, "web-1") == (1, "", "Nothing was done.\n")
    assert asked == []
    assert command("hosts", verb, "web-1", "--yes")[0] == 0


def test_protect_and_unprotect(command: Command, app: FastAPI, store: FakeStore) -> None:
    assert app
    put(store, 1, 2, 3)
    assert command("hosts", "protect", "h[1-2]") == (0, "Protected h1.\nProtected h2.\n", "")
    _, out, _ = command("hosts", "list")
    assert [line.split()[6:] for line in out.splitlines()[1:]] == [
        ["protected", "none"],
        ["protected", "none"],
        ["none"],
    ]
    facts = [" ".join(line.split()) for line in command("hosts", "show", "1")[1].splitlines()]
    assert {"held by", "protected yes: requests for it are refused"} <= set(facts)
    code, _, err = command("stop", "h[1-3]", "--yes")
    assert (code, err.partition(".")[0]) == (1, "hostIds: protected hosts: 1, 2")
    assert command("hosts", "unprotect", "1") == (0, "h1 is not protected (any more).\n", "")
    assert json.loads(command("hosts", "unprotect", "2", "--json")[1])[0]["protected"] is False
    assert command("stop", "h[1-3]", "--yes")[0] == 0


def test_hosts_that_cannot_be_protected_do_not_keep_the_others_back(
    command: Command, app: FastAPI, store: FakeStore
) -> None:
    assert app
    put(store, 1, 2)
    asyncio.run(store.hosts.lease((1,), Lease("other", "to delete it", 60_000)))
    code, out, err = command("hosts", "protect", "1", "2")
    assert (code, out) == (1, "Protected h2.\n")
    assert err.startswith("h1 (1): Nothing was done: a request works on host 1 to delete it")
