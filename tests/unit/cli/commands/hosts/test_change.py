"""`ocpfleet hosts release`, `protect`, `unprotect` and `delete`."""

import asyncio
import json

import pytest
from fastapi import FastAPI

from core.lease import Lease
from tests.support.api import entry
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


def put(store: FakeStore, *ids: int, key: str | None = None) -> None:
    asyncio.run(store.hosts.put([entry(host_id, f"h{host_id}", key) for host_id in ids], 0))


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
    assert isinstance(app, FastAPI)
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


def test_a_host_that_cannot_be_protected_does_not_stop_the_others(
    command: Command, app: FastAPI, store: FakeStore
) -> None:
    assert isinstance(app, FastAPI)
    put(store, 1, 2)
    asyncio.run(store.hosts.lease((1,), Lease("other", "to delete it", 60_000)))
    code, out, err = command("hosts", "protect", "1", "2")
    assert (code, out) == (1, "Protected h2.\n")
    assert err.startswith("h1 (1): Nothing was done: another request is working on host 1 to delete it")
