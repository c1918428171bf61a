"""Users and access keys by the API, as a person types the commands."""

import asyncio
import json
import re

import httpx
import pytest
from fastapi import FastAPI

from cli.remote import client
from core.audit import Proof
from core.user import Role
from tests.support.api import CHEAP
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


@pytest.fixture(autouse=True)
def _no_terminal(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(app, FastAPI)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)


def test_a_user_from_its_first_to_its_last_day(
    command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = command("user", "add", "ann", "--role", "TASK_VIEWER", "--role", "HOST_MANAGER")
    found = re.fullmatch(r"Added ann with HOST_MANAGER, TASK_VIEWER\.\nPassword, shown once: (\S{24})\n", out)
    assert (code, bool(found)) == (0, True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "long enough\n", raising=False)
    assert command("user", "password", "ann", "--password-stdin") == (0, "Changed the password of ann.\n", "")
    ann = asyncio.run(store.users.get("ann"))
    assert ann is not None
    assert CHEAP.matches(ann.password_hash, "long enough")
    assert command("user", "roles", "ann", "--role", "ADMIN") == (0, "ann has ADMIN now.\n", "")
    assert [line.split() for line in command("user", "list")[1].splitlines()] == [
        ["id", "name", "roles", "access", "keys"],
        ["100", "admin", "ADMIN", "0"],
        ["101", "ann", "ADMIN", "0"],
    ]
    assert [user["name"] for user in json.loads(command("user", "list", "--json")[1])] == ["admin", "ann"]
    assert command("user", "remove", "ann") == (0, "Removed ann and its access keys.\n", "")
    entries = asyncio.run(store.audit.page(0, 10)).items
    assert {(entry.user, entry.proof) for entry in entries} == {("admin", Proof.PASSWORD)}
    assert [entry.method for entry in entries] == ["DELETE", "POST", "POST", "POST"]


def test_what_the_api_refuses(command: Command) -> None:
    code, _, err = command("user", "roles", "admin", "--role", "TASK_VIEWER")
    assert (code, err.partition(".")[0]) == (1, "admin cannot give up the role ADMIN")
    assert command("user", "remove", "admin")[0] == 1
    assert command("user", "remove", "a/b?")[0] == 1
    code, _, err = command("user", "add", "admin", "--role", "ADMIN")
    assert (code, err.partition(".")[0]) == (1, "User admin already exists")


def test_invalid_arguments_are_refused_before_any_request(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: object) -> httpx.AsyncClient:
        raise AssertionError("a request was made")

    monkeypatch.setattr(client, "open_http", nothing)
    monkeypatch.setattr("sys.stdin.readline", lambda: "short\n", raising=False)
    assert command("user", "add", "a:b", "--role", "ADMIN")[0] == 2
    assert command("user", "add", "ann", "--role", "ADMIN", "--password-stdin")[0] == 2
    assert command("key", "add", "ann", "--description", "two\nlines")[0] == 2


def test_a_key_from_its_first_to_its_last_day(command: Command, store: FakeStore) -> None:
    code, out, _ = command("key", "add", "admin", "--description", "cron [bold]job")
    found = re.fullmatch(r"Added an access key of admin\.\nAK: ([0-9a-f]{24})\nSK, shown once: ([0-9a-f]{64})\n", out)
    assert code == 0
    assert found
    _, out, _ = command("key", "list")
    assert found[1] in out
    assert "cron [bold]job" in out
    (shown,) = json.loads(command("key", "list", "--json")[1])
    assert sorted(shown) == ["accessKey", "createTime", "description", "user"]
    assert command("key", "remove", found[1]) == (0, f"Removed the access key {found[1]}.\n", "")
    assert asyncio.run(store.access_keys.all()) == ()
    assert command("key", "remove", found[1])[0] == 1


def test_a_user_without_permission(command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    command("user", "add", "ann", "--role", "TASK_MANAGER", "--direct")
    ann = asyncio.run(store.users.get("ann"))
    assert ann is not None
    assert ann.roles == {Role.TASK_MANAGER}
    monkeypatch.setattr("sys.stdin.readline", lambda: "ann-password\n", raising=False)
    command("user", "password", "ann", "--direct", "--password-stdin")
    monkeypatch.setenv("OCPFLEET_API_USER", "ann")
    monkeypatch.setenv("OCPFLEET_API_PASSWORD", "ann-password")
    code, _, err = command("user", "list")
    assert code == 4, err
