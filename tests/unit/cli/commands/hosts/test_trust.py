"""`ocpfleet hosts trust`."""

import asyncio

import pytest

from cli.commands.hosts import host_keys
from tests.support.api import KEY, entry
from tests.support.cli import Command
from tests.support.fake_store import FakeStore

OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


def put(store: FakeStore, *ids: int, key: str | None = None) -> None:
    asyncio.run(store.hosts.put([entry(host_id, f"h{host_id}", key) for host_id in ids], 0))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Say which key each address shows."""
    keys: dict[str, str] = {}

    async def fetch(address: str, port: int, _timeout: float) -> str:
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
