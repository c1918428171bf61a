"""Accepts requests that become tasks on agents."""

from dataclasses import dataclass
from hashlib import sha256

from app.context import Context
from app.http.idempotency import refuse_reused_key
from app.tasks.find import require_known
from app.tasks.outbox import Outbox
from core.audit import AuditEntry
from core.errors import HostsProtected, UnknownHosts
from core.record import Creator, Draft, TaskRecord
from core.step import TaskType
from core.user import User
from infra.store.task_values import KeyTaken, Known, Once


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A request to do something on hosts."""

    user: User
    """Who makes it."""
    task_type: TaskType
    host_ids: tuple[int, ...]
    """Distinct ids, at least one, and exactly one for a type that is not parallel."""
    key: str | None = None
    """The client's key. Requests that repeat it become one task."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that became a task, now or when it was first made with the same key."""

    task: TaskRecord
    is_replay: bool
    in_audit: bool
    """Whether the store has the audit's entry already, together with the task."""
    is_braked: bool
    """Whether the fleet's brake is on, so that the task waits."""


async def accept(context: Context, outbox: Outbox, wish: TaskRequest, entry: AuditEntry) -> Accepted:
    """Accept a request: store the task, and have it published afterwards.

    Args:
        context: the context of this process.
        outbox: publishes the task.
        wish: the request.
        entry: the audit's entry of the request, without the task.

    Raises:
        KeyReused: the key stands for another request.
        UnknownHosts: some hosts are not in the inventory. Nothing was stored.
        HostsProtected: some hosts are protected. Nothing was stored.
        StoreUnavailable: as far as is known, nothing was stored.
        Unavailable: the key stands for a task that a newer version of ocpfleet made.
    """
    field = "hostIds" if wish.task_type.parallel else "hostId"
    obstacles = await context.store.hosts.find_obstacles(wish.host_ids)
    if obstacles.unknown:
        raise UnknownHosts(obstacles.unknown, field)
    if obstacles.protected:
        raise HostsProtected(obstacles.protected, field)
    draft = Draft(
        task_type=wish.task_type,
        host_ids=wish.host_ids,
        creator=Creator(wish.user.id, wish.user.name),
        executor=context.server_address,
        trace_id=entry.trace_id,
        at=entry.at,
        entry=None if context.may_withdraw else entry,
    )
    created = await _create(context, draft, wish.key)
    is_replay = isinstance(created, Known)
    task = require_known(created.task) if isinstance(created, Known) else created
    outbox.post(task)  # a replayed task is published again: that is harmless, and the first time may have failed
    in_audit = draft.entry is not None and not is_replay
    return Accepted(task, is_replay=is_replay, in_audit=in_audit, is_braked=obstacles.braked)


async def _create(context: Context, draft: Draft, key: str | None) -> TaskRecord | Known:
    if key is None:
        return await context.store.tasks.create(draft)
    content = f"{draft.task_type.slug} {' '.join(map(str, draft.host_ids))}"
    created = await context.store.tasks.create_once(draft, Once(key, sha256(content.encode()).hexdigest()))
    if isinstance(created, KeyTaken):
        raise refuse_reused_key(key)
    return created
