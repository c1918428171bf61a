"""To protect a host from every request, and to lift the protection again.

A host is held or protected, never both: so nothing works on a protected host, and nothing begins to.
"""

from app.context import Fleet
from app.hosts.availability import refuse_where_taken
from app.hosts.service import read_host
from core.claim import Protected
from core.host import Host


async def protect(fleet: Fleet, host_id: int) -> Host:
    """Protect a host and return it; one that is protected already stays so.

    Raises:
        NotFound: it is not in the inventory.
        AgentStateInvalid: a task or another request has it.
    """
    answer = await fleet.store.hosts.protect((host_id,), fleet.clock())
    if not isinstance(answer, Protected):
        refuse_where_taken(answer)
    return await read_host(fleet, host_id)


async def unprotect(fleet: Fleet, host_id: int) -> Host:
    """Lift the protection of a host, where it has one, and return it.

    Raises:
        NotFound: it is not in the inventory.
    """
    await fleet.store.hosts.unprotect((host_id,), fleet.clock())
    return await read_host(fleet, host_id)
