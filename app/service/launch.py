"""Requests that become tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from app.fleet import Fleet
from app.service.finding import see_that_known
from app.service.publishing import publish
from core.errors import HostsProtected, KeyReused, UnknownHosts
from core.record import Creator, Draft, TaskRecord
from core.step import TaskType
from core.user import User
from core.words import say
from infra.store.base import KeyTaken, Known, Once


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that became a task, now or when it was made before with the same key."""

    task: TaskRecord
    replayed: bool


async def accept(  # noqa: PLR0913, PLR0917 - a request's particulars
    fleet: Fleet, user: User, task_type: TaskType, host_ids: Sequence[int], trace_id: str, key: str | None = None
) -> Accepted:
    """Accept a request to do something on hosts: store the task first, then publish it.

    Args:
        fleet: what the API works with.
        user: who asks.
        task_type: what for.
        host_ids: on which hosts, distinct, at least one; exactly one for a type that is not parallel.
        trace_id: the request's.
        key: the client's key for it, under which the same request becomes one task however often it is made.

    Raises:
        KeyReused: the key stands for another request.
        UnknownHosts: some hosts are not in the inventory; nothing was stored.
        HostsProtected: no request may touch some of the hosts; nothing was stored.
        StoreUnavailable: nothing was stored, as far as can be known.
        Unavailable: the key stands for a task that a newer code made.
    """
    unknown = await fleet.store.hosts.unknown(host_ids)
    if unknown:
        raise UnknownHosts(unknown, "hostIds" if task_type.parallel else "hostId")
    protected = await fleet.store.hosts.protected(host_ids)
    if protected:
        raise HostsProtected(protected, "hostIds" if task_type.parallel else "hostId")
    draft = Draft(
        task_type=task_type,
        host_ids=tuple(host_ids),
        creator=Creator(user.id, user.name),
        executor=fleet.server,
        trace_id=trace_id,
        at=fleet.clock(),
    )
    made = await _made(fleet, draft, key)
    if isinstance(made, Known):
        see_that_known(made.task)
        # The request that made it may still be on its way to the broker, and to publish twice is harmless.
        await publish(fleet, made.task)
        return Accepted(made.task, replayed=True)
    await publish(fleet, made)
    return Accepted(made, replayed=False)


async def _made(fleet: Fleet, draft: Draft, key: str | None) -> TaskRecord | Known:
    if key is None:
        return await fleet.store.tasks.create(draft)
    asked = f"{draft.task_type.slug} {' '.join(map(str, draft.host_ids))}"
    made = await fleet.store.tasks.create_once(draft, Once(key, sha256(asked.encode()).hexdigest()))
    if isinstance(made, KeyTaken):
        raise key_reused(key)
    return made


def key_reused(key: str | None) -> KeyReused:
    """Return the error of a key that stands for another request."""
    return KeyReused(
        say(
            "Idempotency-Key: {key} stands for another request of yours from the last 24 hours. "
            "Use a new key for a new request.",
            key=key,
        )
    )
