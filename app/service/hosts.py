"""To look at the inventory."""

from app.fleet import Fleet
from core.errors import NotFound
from core.host import Host
from core.words import say
from infra.store.base import HostPage


async def page_hosts(fleet: Fleet, number: int, size: int) -> HostPage:
    """Return a page of the inventory in id order; `number` counts from 1."""
    return await fleet.store.hosts.page((number - 1) * size, size)


async def read_host(fleet: Fleet, host_id: int) -> Host:
    """Return one host.

    Raises:
        NotFound: it is not in the inventory.
    """
    found = await fleet.store.hosts.get((host_id,))
    if host_id not in found:
        raise NotFound(say("There is no host {id} in the inventory. GET /api/v2/compute/hosts lists them.", id=host_id))
    return found[host_id]
