"""To look at the inventory, and to take hosts out of it. How hosts come in is `app.hosts.add`."""

import secrets
from collections.abc import Sequence
from typing import Final

from app.context import Fleet
from app.hosts.availability import no_host, refuse_where_taken
from core.chunks import chunks
from core.errors import AgentStateInvalid, UnknownHosts
from core.host import Host
from core.lease import Lease
from core.page import Page
from core.text import say
from infra.store.host_values import HostQuery
from infra.store.values import CHUNK

_LEASE: Final = 60_000
"""Milliseconds for which hosts that are about to be deleted are leased."""


async def page_hosts(fleet: Fleet, number: int, size: int, query: HostQuery) -> Page[Host]:
    """Return a page of the hosts that fulfil a query; `number` counts from 1."""
    return await fleet.store.hosts.page((number - 1) * size, size, query)


async def read_host(fleet: Fleet, host_id: int) -> Host:
    """Return one host.

    Raises:
        NotFound: it is not in the inventory.
    """
    found = await fleet.store.hosts.get((host_id,))
    if host_id not in found:
        raise no_host(host_id)
    return found[host_id]


async def remove_host(fleet: Fleet, host_id: int) -> None:
    """Take one host out of the inventory.

    Raises:
        NotFound: it is not there.
        AgentStateInvalid: a task or another request has it.
    """
    await read_host(fleet, host_id)
    await _remove(fleet, (host_id,))


async def remove_hosts(fleet: Fleet, host_ids: Sequence[int]) -> None:
    """Take hosts out of the inventory: all of them or none.

    Raises:
        UnknownHosts: some are not there.
        AgentStateInvalid: a task or another request has one of them.
    """
    unknown = await fleet.store.hosts.unknown(host_ids)
    if unknown:
        raise UnknownHosts(unknown, "hostIdList")
    await _remove(fleet, sorted(host_ids))


async def _remove(fleet: Fleet, host_ids: Sequence[int]) -> None:
    """Lease all hosts, so that nobody gets one meanwhile, and only then begin to remove them."""
    lease = Lease(secrets.token_hex(16), "to delete it", _LEASE)
    try:
        for chunk in chunks(host_ids, CHUNK):
            refuse_where_taken(await fleet.store.hosts.lease(chunk, lease))
        removed = 0
        for chunk in chunks(host_ids, CHUNK):
            removed += len(await fleet.store.hosts.remove(chunk, lease.id))
    finally:
        for chunk in chunks(host_ids, CHUNK):
            await fleet.store.hosts.release(chunk, lease.id)
    if removed < len(host_ids):  # slower than the lease lasts: somebody else may have had them first
        raise AgentStateInvalid(
            say(
                "Only {removed} of {wanted} hosts were deleted: the store was too slow for the others. Try again.",
                removed=removed,
                wanted=len(host_ids),
            )
        )
