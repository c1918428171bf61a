"""Names and passwords of `ocpfleet user`."""

import asyncio
import re

import pytest

from app.auth.passwords import Argon2
from core.user import Role
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


def test_a_user_gets_a_generated_password(command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    code, out, _ = command("user", "add", "--direct", "ann", "--role", "HOST_MANAGER", "--role", "TASK_VIEWER")
    assert code == 0
    found = re.fullmatch(r"Added ann with HOST_MANAGER, TASK_VIEWER\.\nPassword, shown once: (\S{24})\n", out)
    assert found
    ann = asyncio.run(store.users.get("ann"))
    assert ann is not None
    assert ann.roles == {Role.HOST_MANAGER, Role.TASK_VIEWER}
    assert Argon2().matches(ann.password_hash, found[1])
    assert "User ann already exists" in command("user", "add", "--direct", "ann", "--role", "ADMIN")[2]


@pytest.mark.parametrize(("typed", "code"), [("long enough\n", 0), ("short\n", 2), ("", 2)])
def test_a_password_from_standard_input(
    command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.readline", lambda: typed, raising=False)
    ended, out, _ = command("user", "add", "--direct", "ann", "--role", "ADMIN", "--password-stdin")
    assert ended == code
    assert typed.strip() not in out or not typed.strip()
    ann = asyncio.run(store.users.get("ann"))
    assert (ann is not None) == (code == 0)


@pytest.mark.parametrize("name", ["a:b", "", "a b", "x" * 65])
def test_a_name_that_http_basic_cannot_carry(command: Command, name: str) -> None:
    code, _, err = command("user", "add", "--direct", name, "--role", "ADMIN")
    assert code == 2
    assert "is not a user name" in err
