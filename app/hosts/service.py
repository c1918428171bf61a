"""Reads hosts from the inventory and removes them. `app.hosts.add` adds them."""

import secrets
from collections.abc import Sequence
from typing import Final

from app.context import Context
from app.hosts.availability import refuse_unknown_host, refuse_unless_leased
from core.chunks import chunks
from core.errors import AgentStateInvalid, UnknownHosts
from core.host import Host
from core.lease import Lease
from core.page import Page
from core.text import say
from infra.store.host_values import HostQuery
from infra.store.values import CHUNK

_LEASE_MILLIS: Final = 60_000
"""How many milliseconds the hosts of a request are leased while it removes them."""


async def page_hosts(context: Context, number: int, size: int, query: HostQuery) -> Page[Host]:
    """Return a page of the hosts that match a query. `number` counts from 1."""
    return await context.store.hosts.page((number - 1) * size, size, query)


async def read_host(context: Context, host_id: int) -> Host:
    """Return one host.

    Raises:
        NotFound: it is not in the inventory.
    """
    found = await context.store.hosts.get((host_id,))
    if host_id not in found:
        raise refuse_unknown_host(host_id)
    return found[host_id]


async def remove_host(context: Context, host_id: int) -> None:
    """Remove one host from the inventory.

    Raises:
        NotFound: it is not in the inventory.
        AgentStateInvalid: a task or another request works on it.
    """
    await read_host(context, host_id)
    await _remove(context, (host_id,))


async def remove_hosts(context: Context, host_ids: Sequence[int]) -> None:
    """Remove hosts from the inventory: all of them or none.

    Raises:
        UnknownHosts: some are not in the inventory.
        AgentStateInvalid: a task or another request works on one of them.
    """
    unknown = await context.store.hosts.unknown(host_ids)
    if unknown:
        raise UnknownHosts(unknown, "hostIdList")
    await _remove(context, sorted(host_ids))


async def _remove(context: Context, host_ids: Sequence[int]) -> None:
    """Remove hosts, once all of them are leased, so that nobody takes one in between."""
    lease = Lease(secrets.token_hex(16), "to delete it", _LEASE_MILLIS)
    try:
        for chunk in chunks(host_ids, CHUNK):
            refuse_unless_leased(await context.store.hosts.lease(chunk, lease))
        removed = 0
        for chunk in chunks(host_ids, CHUNK):
            removed += len(await context.store.hosts.remove(chunk, lease.id))
    finally:
        for chunk in chunks(host_ids, CHUNK):
            await context.store.hosts.release(chunk, lease.id)
    if removed < len(host_ids):  # the store was slower than the lease lasts, so somebody else may have taken them
        raise AgentStateInvalid(
            say(
                "Only {removed} of {wanted} hosts were deleted: the store was too slow for the others. Try again.",
                removed=removed,
                wanted=len(host_ids),
            )
        )
