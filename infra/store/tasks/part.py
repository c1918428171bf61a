"""The base of each part of the tasks' store."""

from core.record import RECORD_VERSION, TaskRecord
from infra.store import keys
from infra.store.connection import Connection
from infra.store.parse import parse_head
from infra.store.values import StoreOptions


class TaskPart:
    """A part of the tasks' store.

    Args:
        connection: to Redis.
        options: how the store is used.
    """

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._options = options

    async def head(self, task_id: int) -> TaskRecord | None:
        """Return the head of a task; None if there is no such task."""
        fields = await self._redis.call("HGETALL", keys.task(task_id))
        return parse_head(task_id, fields) if fields else None

    def _step_args(self, head: TaskRecord, now: int) -> dict[str, object]:
        """Return the arguments of a script that works on the current step of a task."""
        step = head.plan.steps[head.current_step]
        return {
            "id": str(head.id),
            "known": RECORD_VERSION,
            "step": step.index,
            "first": step.first,
            "size": step.size,
            "last": step.is_last,
            "total": head.plan.size,
            "now": now,
            "keep_ms": self._options.keep_tasks,
            "events_ms": self._options.keep_events,
        }
