"""Protects a host from every request, and lifts the protection.

A host is held or protected, never both. So no task works on a protected host, and none can start to.
"""

from app.context import Context
from app.hosts.availability import refuse_unless_leased
from app.hosts.service import read_host
from core.claim import Protected
from core.host import Host


async def protect(context: Context, host_id: int) -> Host:
    """Protect a host and return it. A protected host stays protected.

    Raises:
        NotFound: it is not in the inventory.
        AgentStateInvalid: a task or another request works on it.
    """
    answer = await context.store.hosts.protect((host_id,), context.clock())
    if not isinstance(answer, Protected):
        refuse_unless_leased(answer)
    return await read_host(context, host_id)


async def unprotect(context: Context, host_id: int) -> Host:
    """Lift the protection of a host, if it has one, and return the host.

    Raises:
        NotFound: it is not in the inventory.
    """
    await context.store.hosts.unprotect((host_id,), context.clock())
    return await read_host(context, host_id)
