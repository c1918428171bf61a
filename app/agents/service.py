"""Requests that become tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from app.context import Fleet
from app.tasks.find import see_that_known
from app.tasks.outbox import publish
from core.audit import AuditEntry
from core.errors import HostsProtected, KeyReused, UnknownHosts
from core.record import Creator, Draft, TaskRecord
from core.step import TaskType
from core.text import say
from core.user import User
from infra.store.task_values import KeyTaken, Known, Once


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that became a task, now or when it was made before with the same key."""

    task: TaskRecord
    replayed: bool
    in_audit: bool
    """Whether the audit's entry was kept together with the task."""
    braked: bool
    """Whether the fleet's brake is on, so that the task waits."""


async def accept(  # noqa: PLR0913, PLR0917 - a request's particulars
    fleet: Fleet, user: User, task_type: TaskType, host_ids: Sequence[int], entry: AuditEntry, key: str | None = None
) -> Accepted:
    """Accept a request to do something on hosts: store the task first; it is published afterwards.

    Args:
        fleet: what the API works with.
        user: who asks.
        task_type: what for.
        host_ids: on which hosts, distinct, at least one; exactly one for a type that is not parallel.
        entry: what the audit keeps of the request, but for the task.
        key: the client's key for it, under which the same request becomes one task however often it is made.

    Raises:
        KeyReused: the key stands for another request.
        UnknownHosts: some hosts are not in the inventory; nothing was stored.
        HostsProtected: no request may touch some of the hosts; nothing was stored.
        StoreUnavailable: nothing was stored, as far as can be known.
        Unavailable: the key stands for a task that a newer code made.
    """
    standing = await fleet.store.hosts.standing(host_ids)
    if standing.unknown:
        raise UnknownHosts(standing.unknown, "hostIds" if task_type.parallel else "hostId")
    if standing.protected:
        raise HostsProtected(standing.protected, "hostIds" if task_type.parallel else "hostId")
    draft = Draft(
        task_type=task_type,
        host_ids=tuple(host_ids),
        creator=Creator(user.id, user.name),
        executor=fleet.server,
        trace_id=entry.trace_id,
        at=entry.at,
        entry=None if fleet.withdraws else entry,
    )
    made = await _made(fleet, draft, key)
    replayed = isinstance(made, Known)
    task = see_that_known(made.task) if isinstance(made, Known) else made
    publish(fleet, task)  # twice, where it is replayed: that is harmless, and the first time may have failed
    in_audit = draft.entry is not None and not replayed
    return Accepted(task, replayed=replayed, in_audit=in_audit, braked=standing.braked)


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
