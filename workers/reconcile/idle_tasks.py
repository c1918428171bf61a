"""Finds the running tasks in which nothing happens, and sets them going again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from core.progress import compute_progress
from core.record import TaskRecord
from core.status import Status, TaskStatus
from infra.dispatch import Dispatcher
from infra.store.task_values import Course, TaskQuery
from workers.context import WorkerContext
from workers.reconcile.claims import publish_current_step
from workers.reconcile.timing import ReconcileTiming

log = structlog.get_logger(__name__)

_PAGE_SIZE = 500
"""Running tasks that are read at a time."""


@dataclass(slots=True)
class _Idle:
    """A task's state, since when, in watched seconds, it has not changed, and how long that is tolerated."""

    state: tuple[int, int]
    since: float
    wait: float


@dataclass
class IdleTasks:
    """What the leading reconciler has seen of the running tasks."""

    context: WorkerContext
    dispatcher: Dispatcher
    _idle: dict[int, _Idle] = field(default_factory=dict, init=False)

    def forget(self) -> None:
        """Forget what was seen: another worker reconciles now."""
        self._idle.clear()

    async def set_going(self, now: float, timing: ReconcileTiming) -> None:
        """Publish what is ready and what nobody has claimed for a while, unless messages wait to be handled."""
        if await self.context.store.brake.get() is not None:
            return  # the release of the brake sets everything going
        running: set[int] = set()
        due: list[TaskRecord] = []
        offset, page = 0, (await self._read_page(0))
        while page:
            running.update(task.id for task in page)
            due += [task for task in page if task.is_known and self._is_due(task, now, timing)]
            offset += len(page)
            page = await self._read_page(offset) if len(page) == _PAGE_SIZE else ()
        self._idle = {task_id: idle for task_id, idle in self._idle.items() if task_id in running}
        if due and not await self.dispatcher.count_waiting():  # asked once: what is published here soon waits itself
            for task in due:
                await self._set_task_going(task, now, timing)

    async def _read_page(self, offset: int) -> Sequence[TaskRecord]:
        query = TaskQuery(frozenset({TaskStatus.RUNNING}), offset=offset, limit=_PAGE_SIZE, ascending=True)
        return (await self.context.store.tasks.page(query, self.context.clock())).items

    def _is_due(self, task: TaskRecord, now: float, timing: ReconcileTiming) -> bool:
        state, idle = (task.current_step, task.changes), self._idle.get(task.id)
        if idle is None or idle.state != state:
            self._idle[task.id] = _Idle(state, now, timing.unclaimed_after)
            return False
        counts = compute_progress(task)[task.current_step].by_status
        worked_on = counts.get(Status.RUNNING, 0) + counts.get(Status.CANCELING, 0)
        waits = counts.get(Status.READY, 0) and not worked_on
        return bool(waits or task.turning) and now - idle.since >= idle.wait

    async def _set_task_going(self, task: TaskRecord, now: float, timing: ReconcileTiming) -> None:
        """Finish what was begun and broke off: a change of course, a cancellation, a publishing."""
        idle = self._idle[task.id]
        idle.since, idle.wait = now, min(2 * idle.wait, timing.unclaimed_at_most)
        tasks = self.context.store.tasks
        if task.turning:
            await tasks.change_course(task, Course.ROLLBACK if task.is_rollback else Course.RETRY, self.context.clock())
        if task.cancelled and not task.turning:
            log.warning("a cancellation that broke off is finished", task=task.id)
            await tasks.cancel(task, self.context.clock())
            return
        log.warning("nobody claims a step, published again", task=task.id, step=task.current_step)
        await publish_current_step(self.context, self.dispatcher, task)
