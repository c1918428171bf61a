"""Hosts that come into the inventory through the API, each with a task that prepares it."""

from collections.abc import Sequence
from hashlib import sha256

from app.agents.service import key_reused
from app.context import Fleet
from app.tasks.find import see_that_known
from app.tasks.outbox import publish
from core.errors import Conflict
from core.record import Creator, Draft
from core.task_types import TASK_TYPES
from core.text import say
from core.user import User
from infra.store.host_values import AlreadyThere, HostsAdded, NewHost
from infra.store.task_values import KeyTaken, Once


async def add_hosts(
    fleet: Fleet, user: User, hosts: Sequence[NewHost], trace_id: str, key: str | None = None
) -> HostsAdded:
    """Add hosts, and have each of them prepared by a task of its own.

    Args:
        fleet: what the API works with.
        user: who asks.
        hosts: the hosts, none twice.
        trace_id: the request's.
        key: the client's key for it, under which the same request adds its hosts once however often it is made.

    Raises:
        KeyReused: the key stands for another request.
        Conflict: a host is in the inventory, or its alias is another's; nothing was stored.
        StoreUnavailable: nothing was stored, as far as can be known.
        Unavailable: the key stands for tasks that a newer code made.
    """
    draft = Draft(
        task_type=TASK_TYPES["prepare_host"],
        host_ids=(),
        creator=Creator(user.id, user.name),
        executor=fleet.server,
        trace_id=trace_id,
        at=fleet.clock(),
    )
    once = None if key is None else Once(key, sha256(repr(hosts).encode()).hexdigest())
    made = await fleet.store.tasks.create_with_hosts(hosts, draft, once)
    match made:
        case KeyTaken():
            raise key_reused(key)
        case AlreadyThere():
            raise _there(hosts, made)
        case HostsAdded():
            for task in made.tasks:
                publish(fleet, see_that_known(task))
            return made


def _there(hosts: Sequence[NewHost], there: AlreadyThere) -> Conflict:
    new = hosts[there.index]
    if there.by_alias:
        return Conflict(
            say("alias: host {id} is called {alias} already. Aliases are unique.", id=there.host_id, alias=new.alias)
        )
    field = f"hostBasicDataList[{there.index}].innerIpAddress"
    return Conflict(
        say(
            "{field}: {endpoint} with the agent in {home} is in the inventory already, as host {id}. "
            "No host was added.",
            field=field,
            endpoint=new.target.endpoint,
            home=new.target.agent_home,
            id=there.host_id,
        )
    )
