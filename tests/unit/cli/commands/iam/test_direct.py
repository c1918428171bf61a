"""Users and access keys, as a person types the commands that work on the store itself."""

import asyncio
import re
import stat
from pathlib import Path

import pytest

from app.auth.passwords import Argon2
from app.auth.vault import Vault
from cli.commands.hosts import host_keys
from core.audit import AuditEntry, Proof
from core.user import Role, User
from tests.support.api import KEY
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCPFLEET_KEY_FILE", str(tmp_path / "key"))
    return tmp_path / "key"


def put(store: FakeStore, name: str, *roles: Role) -> None:
    asyncio.run(store.users.put(User(0, name, "$argon2id$old", frozenset(roles))))


def user(store: FakeStore, name: str) -> User:
    found = asyncio.run(store.users.get(name))
    assert found is not None
    return found


def noted(store: FakeStore) -> list[AuditEntry]:
    return list(asyncio.run(store.audit.page(0, 100)).items)


def test_users_are_listed_by_name(command: Command, store: FakeStore, file: Path) -> None:
    put(store, "bob", Role.TASK_VIEWER, Role.HOST_MANAGER)
    put(store, "ann", Role.ADMIN)
    command("key", "add", "--direct", "ann")
    assert file.exists()
    code, out, _ = command("user", "list", "--direct")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["id", "name", "roles", "access", "keys"],
        ["101", "ann", "ADMIN", "1"],
        ["100", "bob", "HOST_MANAGER,", "TASK_VIEWER", "0"],
    ]


def test_a_user_goes_with_its_access_keys(command: Command, store: FakeStore, file: Path) -> None:
    put(store, "ann", Role.ADMIN)
    put(store, "bob", Role.ADMIN)
    for name in ("ann", "bob", "bob"):
        command("key", "add", "--direct", name)
    assert file.exists()
    assert command("user", "remove", "--direct", "bob") == (0, "Removed bob and its access keys.\n", "")
    assert [key.user for key in asyncio.run(store.access_keys.all())] == ["ann"]
    assert command("user", "remove", "--direct", "bob") == (
        1,
        "",
        "There is no user bob. `ocpfleet user list` or GET /api/v2/iam/users shows them all.\n",
    )


def test_the_last_admin_keeps_the_role(command: Command, store: FakeStore) -> None:
    put(store, "ann", Role.ADMIN)
    put(store, "bob", Role.HOST_MANAGER)
    for words in (("user", "remove", "ann"), ("user", "roles", "ann", "--role", "HOST_MANAGER")):
        assert command(*words, "--direct") == (1, "", "ann is the last user with the role ADMIN. Nothing was done.\n")
    assert user(store, "ann").roles == {Role.ADMIN}
    assert command("user", "remove", "--direct", "bob")[0] == 0


def test_new_roles_replace_the_old_ones(command: Command, store: FakeStore) -> None:
    put(store, "ann", Role.ADMIN)
    put(store, "bob", Role.ADMIN)
    answer = command("user", "roles", "--direct", "bob", "--role", "TASK_VIEWER", "--role", "HOST_VIEWER")
    assert answer == (0, "bob has HOST_VIEWER, TASK_VIEWER now.\n", "")
    assert user(store, "bob").roles == {Role.TASK_VIEWER, Role.HOST_VIEWER}
    assert user(store, "bob").password_hash == "$argon2id$old"
    assert command("user", "roles", "--direct", "nobody", "--role", "ADMIN")[0] == 1
    assert command("user", "roles", "--direct", "bob", "--role", "KING")[0] == 2


def test_a_password_is_generated_or_read(command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "ann", Role.TASK_VIEWER)
    code, out, _ = command("user", "password", "--direct", "ann")
    assert code == 0
    found = re.fullmatch(r"Changed the password of ann\.\nPassword, shown once: (\S{24})\n", out)
    assert found
    assert Argon2().matches(user(store, "ann").password_hash, found[1])
    monkeypatch.setattr("sys.stdin.readline", lambda: "long enough\n", raising=False)
    assert command("user", "password", "--direct", "ann", "--password-stdin") == (
        0,
        "Changed the password of ann.\n",
        "",
    )
    assert Argon2().matches(user(store, "ann").password_hash, "long enough")
    assert user(store, "ann").roles == {Role.TASK_VIEWER}
    assert command("user", "password", "--direct", "nobody")[0] == 1


def test_a_concurrent_change_is_reported(command: Command, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "ann", Role.TASK_VIEWER)

    async def lost(*_: object) -> bool:
        return False

    monkeypatch.setattr(store.users, "change", lost)
    code, _, err = command("user", "roles", "--direct", "ann", "--role", "ADMIN")
    assert (code, err) == (1, "Somebody else has just changed user ann. Nothing was done; try again.\n")
    assert noted(store) == []


def test_a_key_shows_its_secret_once_and_keeps_it_encrypted(command: Command, store: FakeStore, file: Path) -> None:
    put(store, "ann", Role.ADMIN)
    code, out, _ = command("key", "add", "--direct", "ann", "--description", "cron [bold]job")
    assert code == 0
    found = re.fullmatch(r"Added an access key of ann\.\nAK: ([0-9a-f]{24})\nSK, shown once: ([0-9a-f]{64})\n", out)
    assert found
    (key,) = asyncio.run(store.access_keys.all())
    assert (key.id, key.user, key.user_id, key.description) == (found[1], "ann", 100, "cron [bold]job")
    assert found[2] not in repr(key) + key.sealed
    assert Vault(file).unseal(key.sealed) == found[2]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, out, _ = command("key", "list", "--direct")
    assert found[1] in out
    assert "cron [bold]job" in out
    assert found[2] not in out
    assert found[2] not in str(noted(store))


def test_a_key_needs_a_user_and_a_private_key_file(command: Command, store: FakeStore, file: Path) -> None:
    assert command("key", "add", "--direct", "nobody")[0] == 1
    assert command("key", "add", "--direct", "ann", "--description", "two\nlines")[0] == 2
    put(store, "ann", Role.ADMIN)
    file.touch(mode=0o644)
    file.chmod(0o644)
    code, _, err = command("key", "add", "--direct", "ann")
    assert code == 2
    assert "has mode 0644: other users may use it" in err
    assert asyncio.run(store.access_keys.all()) == ()


def test_an_api_does_not_start_with_an_open_key_file(command: Command, file: Path) -> None:
    file.touch()
    file.chmod(0o640)
    code, _, err = command("api")
    assert code == 2
    assert err.startswith("The key file of OCPFLEET_KEY_FILE has mode 0640")


def test_a_key_is_removed(command: Command, store: FakeStore, file: Path) -> None:
    put(store, "ann", Role.ADMIN)
    command("key", "add", "--direct", "ann")
    assert file.exists()
    (key,) = asyncio.run(store.access_keys.all())
    assert command("key", "remove", "--direct", key.id) == (0, f"Removed the access key {key.id}.\n", "")
    code, _, err = command("key", "remove", "--direct", key.id)
    assert (code, err) == (
        1,
        f"There is no access key {key.id}. `ocpfleet key list` or GET /api/v2/iam/keys shows them all.\n",
    )


def test_changes_of_the_inventory_are_in_the_audit(
    command: Command, store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(*_: object) -> str:
        return KEY

    monkeypatch.setattr(host_keys, "fetch", fetch)
    inventory = tmp_path / "hosts.csv"
    inventory.write_text("id,innerIpAddress\n1,10.0.0.1\n2,10.0.0.2\n")
    command("hosts", "import", str(inventory))
    for _ in range(2):
        command("hosts", "trust", "1", "--yes")
    assert [(entry.path, dict(entry.fields)) for entry in reversed(noted(store))] == [
        ("hosts import", {"file": "hosts.csv", "hosts": "2"}),
        ("hosts trust 1", {"hostKey": host_keys.fingerprint(KEY)}),
    ]


def test_commands_are_in_the_audit(command: Command, store: FakeStore, file: Path) -> None:
    command("user", "add", "--direct", "ann", "--role", "ADMIN")
    command("user", "add", "--direct", "bob", "--role", "ADMIN")
    command("key", "add", "--direct", "bob")
    assert file.exists()
    (key,) = asyncio.run(store.access_keys.all())
    command("user", "roles", "--direct", "bob", "--role", "TASK_VIEWER")
    command("user", "password", "--direct", "bob")
    command("user", "list", "--direct")
    command("user", "remove", "--direct", "bob")
    kept = noted(store)
    assert [(entry.path, dict(entry.fields)) for entry in reversed(kept)] == [
        ("user add ann", {"roles": "ADMIN"}),
        ("user add bob", {"roles": "ADMIN"}),
        ("key add bob", {"accessKey": key.id}),
        ("user roles bob", {"roles": "TASK_VIEWER"}),
        ("user password bob", {}),
        ("user remove bob", {"accessKeys": key.id}),
    ]
    assert all((entry.method, entry.proof, entry.status) == ("COMMAND", Proof.LOCAL, 200) for entry in kept)
    assert all(entry.user and entry.source for entry in kept)
