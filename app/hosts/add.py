"""Adds hosts to the inventory, each with a task that prepares it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from app.context import Context
from app.http.idempotency import refuse_reused_key
from app.tasks.find import require_known
from app.tasks.outbox import Outbox
from core.errors import Conflict
from core.record import Creator, Draft
from core.task_types import TASK_TYPES
from core.text import say
from core.user import User
from infra.store.host_values import AlreadyThere, HostsAdded, NewHost
from infra.store.task_values import KeyTaken, Once


@dataclass(frozen=True, slots=True)
class AddRequest:
    """A request to add hosts."""

    user: User
    """Who makes it."""
    hosts: tuple[NewHost, ...]
    """The hosts, none of them twice."""
    trace_id: str
    key: str | None = None
    """The client's key. Requests that repeat it add their hosts once."""


async def add_hosts(context: Context, outbox: Outbox, wish: AddRequest) -> HostsAdded:
    """Add hosts, each with a task that prepares it.

    Raises:
        KeyReused: the key stands for another request.
        Conflict: a host is already in the inventory, or has the alias of another host. Nothing was stored.
        StoreUnavailable: as far as is known, nothing was stored.
        Unavailable: the key stands for tasks that a newer version of ocpfleet made.
    """
    draft = Draft(
        task_type=TASK_TYPES["prepare_host"],
        host_ids=(),
        creator=Creator(wish.user.id, wish.user.name),
        executor=context.server_address,
        trace_id=wish.trace_id,
        at=context.clock(),
    )
    once = None if wish.key is None else Once(wish.key, sha256(repr(wish.hosts).encode()).hexdigest())
    added = await context.store.tasks.create_with_hosts(wish.hosts, draft, once)
    match added:
        case KeyTaken():
            raise refuse_reused_key(wish.key)
        case AlreadyThere():
            raise _refuse_known_host(wish.hosts, added)
        case HostsAdded():
            for task in added.tasks:
                outbox.post(require_known(task))
            return added


def _refuse_known_host(hosts: Sequence[NewHost], there: AlreadyThere) -> Conflict:
    new = hosts[there.index]
    if there.by_alias:
        return Conflict(
            say(
                "alias: host {id} already has the alias {alias}. Aliases are unique.", id=there.host_id, alias=new.alias
            )
        )
    field = f"hostBasicDataList[{there.index}].innerIpAddress"
    return Conflict(
        say(
            "{field}: {endpoint} with the agent in {home} is already in the inventory, as host {id}. No host was "
            "added.",
            field=field,
            endpoint=new.target.endpoint,
            home=new.target.agent_home,
            id=there.host_id,
        )
    )
