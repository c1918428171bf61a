"""`ocpfleet hosts list` and `show`."""

import asyncio
import json

from fastapi import FastAPI

from tests.support.api import KEY, entry
from tests.support.cli import AGENT, HOST, Command
from tests.support.fake_store import FakeStore


def put(store: FakeStore, *ids: int, key: str | None = None) -> None:
    asyncio.run(store.hosts.put([entry(host_id, f"h{host_id}", key) for host_id in ids], 0))


def test_list(command: Command, app: FastAPI, store: FakeStore) -> None:
    assert isinstance(app, FastAPI)
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
    assert isinstance(app, FastAPI)
    put(store, *range(1, 4003))
    _, out, _ = command("hosts", "list", "--json")
    assert [host["id"] for host in json.loads(out)] == list(range(1, 4003))


def test_show(command: Command, app: FastAPI, store: FakeStore) -> None:
    assert isinstance(app, FastAPI)
    put(store, 1)
    code, out, _ = command("hosts", "show", "h1")
    assert code == 0
    facts = [" ".join(line.split()) for line in out.splitlines()]
    assert facts[:4] == ["host 1", "alias h1", "address 10.0.0.1:22", "user admin"]
    assert "host key none pinned: `ocpfleet hosts trust ID`" in facts
    assert json.loads(command("hosts", "show", "1", "--json")[1])["alias"] == "h1"
    code, _, err = command("hosts", "show", "h9")
    assert (code, err.partition(".")[0]) == (2, "Not in the inventory: h9")


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
