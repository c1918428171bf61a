"""`ocpfleet hosts trust`: a person compares fingerprints, then the keys are pinned."""

from collections.abc import Sequence

import typer

from cli import direct_store as session
from cli.commands.hosts import host_keys as hostkeys
from core.errors import UnknownHosts
from core.host import Host
from infra.clock import now
from infra.store.base import Store


async def trust_hosts(store: Store, host_ids: Sequence[int], timeout: float, *, ask: bool) -> bool:
    """Fetch, show and pin the keys of hosts, one after the other.

    Args:
        store: the inventory.
        host_ids: which hosts.
        timeout: seconds to wait for one host.
        ask: whether a person confirms each key.

    Returns:
        Whether all keys are pinned now.

    Raises:
        UnknownHosts: some are not in the inventory; nothing was fetched.
    """
    found = await store.hosts.get(host_ids)
    unknown = tuple(host_id for host_id in host_ids if host_id not in found)
    if unknown:
        raise UnknownHosts(unknown)
    pinned = [await _trust(store, found[host_id], timeout, ask=ask) for host_id in host_ids]
    return all(pinned)


async def _trust(store: Store, host: Host, timeout: float, *, ask: bool) -> bool:
    target, name = host.target, _named(host)
    try:
        key = await hostkeys.fetch(target.address, target.port, timeout)
    except hostkeys.HostKeyUnknown as error:
        _say(f"{name}: {error}")
        return False
    _say(f"{name}: shows {key.split()[0]} {hostkeys.fingerprint(key)}")
    if key == target.host_key:
        _say("  is pinned already")
        return True
    if target.host_key:
        old = f"{target.host_key.split()[0]} {hostkeys.fingerprint(target.host_key)}"
        _say(f"  but {old} is pinned: the host was installed anew, or this is another machine")
    if ask and not typer.confirm("  Pin the key that it shows?"):
        _say("  left as it was")
        return False
    await store.hosts.pin(target.host_id, key, now(), replace=True)
    await session.audited(store, f"hosts trust {target.host_id}", {"hostKey": hostkeys.fingerprint(key)})
    _say("  pinned")
    return True


def _named(host: Host) -> str:
    alias = f" ({host.alias})" if host.alias else ""
    return f"host {host.target.host_id}{alias} at {host.target.endpoint}"


def _say(text: str) -> None:
    session.OUT.print(text, markup=False)
