"""The commands, as a person types them."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.auth.passwords import Argon2
from cli.commands.hosts import host_keys
from core.claim import require_host_claims
from core.host import STOPPING
from core.user import Role
from tests.support.api import KEY, entry
from tests.support.fake_store import FakeStore
from tests.support.records import PREPARE, claim_step, draft

OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
Command = Callable[..., tuple[int, str, str]]


def put(store: FakeStore, *ids: int, key: str | None = None) -> None:
    asyncio.run(store.hosts.put([entry(host_id, f"h{host_id}", key) for host_id in ids], 0))


def test_import_adds_and_changes(command: Command, store: FakeStore, tmp_path: Path) -> None:
    put(store, 2)
    file = tmp_path / "hosts.csv"
    file.write_text("id,innerIpAddress,alias\n1,10.0.0.1,one\n2,10.0.0.2,two\n")
    assert command("hosts", "import", str(file)) == (0, f"Imported 2 hosts from {file}: 1 new, 1 known before.\n", "")
    assert asyncio.run(store.hosts.aliases()) == {"one": 1, "two": 2}


def test_import_protects_hosts_and_lifts_it(command: Command, store: FakeStore, tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text("id,innerIpAddress,protected\n1,10.0.0.1,true\n2,10.0.0.2,\n")
    assert command("hosts", "import", str(file))[0] == 0
    assert asyncio.run(store.hosts.standing((1, 2))).protected == (1,)
    file.write_text("id,innerIpAddress,protected\n1,10.0.0.1,\n2,10.0.0.2,yes\n")
    assert command("hosts", "import", str(file))[0] == 0
    assert asyncio.run(store.hosts.standing((1, 2))).protected == (1, 2), "an empty cell leaves it as it is"
    file.write_text("id,innerIpAddress,protected\n1,10.0.0.1,no\n2,10.0.0.2,no\n")
    assert command("hosts", "import", str(file))[0] == 0
    assert asyncio.run(store.hosts.standing((1, 2))).protected == ()


def test_import_does_not_protect_what_a_task_holds(command: Command, store: FakeStore, tmp_path: Path) -> None:
    async def hold() -> None:
        await store.hosts.put([entry(1)], 0)
        claims = await claim_step(store, await store.tasks.create(draft((1,))), PREPARE)
        await store.tasks.take_hosts(require_host_claims(claims), 0, STOPPING)

    asyncio.run(hold())
    file = tmp_path / "fleet.csv"
    file.write_text("id,innerIpAddress,protected\n1,10.9.9.9,true\n2,10.0.0.2,true\n")
    code, _, err = command("hosts", "import", str(file))
    assert code == 2
    assert "it protects hosts that tasks hold: 1 (by task 1)." in err
    assert asyncio.run(store.hosts.unknown((2,))) == (2,), "nothing was imported"


def test_import_with_one_bad_line_imports_nothing(command: Command, store: FakeStore, tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text("id,innerIpAddress\n1,10.0.0.1\n2,10.0.0.256\n")
    code, out, err = command("hosts", "import", str(file))
    assert (code, out) == (2, "")
    assert err == (
        f"Nothing was imported from {file}:\n"
        "line 3, innerIpAddress='10.0.0.256': not the IP address of a host. Write one such as 10.0.0.7 or fd00::7.\n"
    )
    assert asyncio.run(store.hosts.page(0, 10)).total == 0


def test_import_shows_fifty_problems(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text("id,innerIpAddress\n" + "x,10.0.0.1\n" * 60)
    _, _, err = command("hosts", "import", str(file))
    assert len(err.splitlines()) == 52
    assert err.endswith("… and 10 more\n")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Say which key each address shows."""
    keys: dict[str, str] = {}

    async def fetch(address: str, port: int, timeout: float) -> str:  # noqa: ARG001 - the real one's
        if address not in keys:
            raise host_keys.HostKeyUnknown(f"Unreachable: {address}:{port}.")
        return keys[address]

    monkeypatch.setattr(host_keys, "fetch", fetch)
    return keys


def pinned(store: FakeStore, host_id: int) -> str | None:
    return asyncio.run(store.hosts.get((host_id,)))[host_id].target.host_key


def test_trust_pins_what_hosts_show(command: Command, store: FakeStore, shown: dict[str, str]) -> None:
    put(store, 1, 2)
    put(store, 3, key=KEY)
    shown |= {"10.0.0.1": KEY, "10.0.0.3": KEY}
    code, out, _ = command("hosts", "trust", "1", "2", "3", "1", "--yes")
    print_of_key = host_keys.fingerprint(KEY)
    assert out.splitlines() == [
        f"host 1 (h1) at 10.0.0.1:22: shows ssh-ed25519 {print_of_key}",
        "  pinned",
        "host 2 (h2) at 10.0.0.2:22: Unreachable: 10.0.0.2:22.",
        f"host 3 (h3) at 10.0.0.3:22: shows ssh-ed25519 {print_of_key}",
        "  is pinned already",
    ]
    assert code == 1
    assert (pinned(store, 1), pinned(store, 2)) == (KEY, None)


@pytest.mark.parametrize("agrees", [True, False])
def test_trust_asks_before_it_replaces_a_key(
    command: Command, store: FakeStore, shown: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, agrees: bool
) -> None:
    put(store, 1, key=KEY)
    shown["10.0.0.1"] = OTHER
    monkeypatch.setattr("typer.confirm", lambda _: agrees)
    code, out, _ = command("hosts", "trust", "1")
    assert f"but ssh-ed25519 {host_keys.fingerprint(KEY)} is pinned" in out
    assert pinned(store, 1) == (OTHER if agrees else KEY)
    assert code == (0 if agrees else 1)


def test_trust_of_an_unknown_host(command: Command, store: FakeStore) -> None:
    put(store, 1)
    code, _, err = command("hosts", "trust", "1", "9", "--yes")
    assert code == 1
    assert err.startswith("hostIds: not in the inventory: 9.")


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
    assert "There is a user ann already" in command("user", "add", "--direct", "ann", "--role", "ADMIN")[2]


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


def test_a_wrong_setting_is_one_sentence(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPFLEET_API_PORT", "99999")
    code, out, err = command("api")
    assert (code, out) == (2, "")
    assert err.startswith("OCPFLEET_API_PORT=99999: ")
    assert len(err.splitlines()) == 1


def test_the_help_names_every_command(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    for name in ("api", "worker", "flower", "hosts", "user", "key"):
        assert name in out
