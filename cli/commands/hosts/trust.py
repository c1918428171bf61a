"""`ocpfleet hosts trust`: a person compares the fingerprints of host keys, and the command pins the keys."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli import direct_store, output
from cli.commands.hosts import host_keys
from core.errors import UnknownHosts
from core.host import Host
from infra.clock import now
from infra.store import Store


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("trust", help="Fetch the hosts' SSH keys, show their fingerprints, and pin them.")(_trust)


def _trust(
    host_ids: Annotated[list[int], typer.Argument(metavar="ID...", help="the hosts")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="pin without asking; for scripts on a network that can be trusted")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="seconds to wait for one host")] = 10.0,
) -> None:
    distinct = tuple(dict.fromkeys(host_ids))
    if not direct_store.run(lambda store: trust_hosts(store, distinct, timeout, ask=not yes)):
        raise typer.Exit(1)


async def trust_hosts(store: Store, host_ids: Sequence[int], timeout: float, *, ask: bool) -> bool:
    """Fetch, show and pin the keys of hosts, one host after the other.

    Args:
        store: the store with the inventory.
        host_ids: the hosts.
        timeout: seconds to wait for one host.
        ask: whether a person confirms each key.

    Returns:
        Whether all keys are pinned now.

    Raises:
        UnknownHosts: some hosts are not in the inventory; no key was fetched.
    """
    found = await store.hosts.get(host_ids)
    unknown = tuple(host_id for host_id in host_ids if host_id not in found)
    if unknown:
        raise UnknownHosts(unknown)
    pinned = [await _trust_host(store, found[host_id], timeout, ask=ask) for host_id in host_ids]
    return all(pinned)


async def _trust_host(store: Store, host: Host, timeout: float, *, ask: bool) -> bool:
    target, name = host.target, _describe(host)
    try:
        key = await host_keys.fetch(target.address, target.port, timeout)
    except host_keys.HostKeyUnknown as error:
        output.say(f"{name}: {error}")
        return False
    output.say(f"{name}: shows {_describe_key(key)}")
    if key == target.host_key:
        output.say("  is pinned already")
        return True
    if target.host_key:
        old = _describe_key(target.host_key)
        output.say(f"  but {old} is pinned: the host was reinstalled, or this is another machine")
    if ask and not typer.confirm("  Pin the key that it shows?"):
        output.say("  left unchanged")
        return False
    await store.hosts.pin(target.host_id, key, now(), replace=True)
    fields = {"hostKey": host_keys.fingerprint(key)}
    await direct_store.record_audit(store, f"hosts trust {target.host_id}", fields)
    output.say("  pinned")
    return True


def _describe(host: Host) -> str:
    alias = f" ({host.alias})" if host.alias else ""
    return f"host {host.target.host_id}{alias} at {host.target.endpoint}"


def _describe_key(key: str) -> str:
    return f"{key.split(maxsplit=1)[0]} {host_keys.fingerprint(key)}"
