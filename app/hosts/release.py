"""To free a host from a task that will not give it back: an administrator's way out."""

from typing import Final

from app.context import Fleet
from app.hosts.service import read_host
from app.tasks.find import find_task
from core.errors import StateInvalid, TaskNotFound
from core.host import Host
from core.text import say
from infra.store.host_values import Release

_TRIES: Final = 5
"""Looks at a task that goes on meanwhile."""


async def release(fleet: Fleet, host_id: int) -> tuple[Host, int]:
    """Free a host from the task that holds it; return the host as it is then, and the task that held it.

    Host and agent are as the task's last look at the host said; where it never looked, as they were before the task.
    What is left of the task passes the host over, or fails there: it works on hosts that it holds, and on no other.

    Raises:
        NotFound: the host is not in the inventory.
        StateInvalid: no task holds it, or a run of the task works on it just now.
    """
    for _ in range(_TRIES):
        host = await read_host(fleet, host_id)
        if host.holder is None:
            raise StateInvalid(say("Host {id} is held by no task: there is nothing to release it from.", id=host_id))
        match await _release(fleet, host, host.holder):
            case Release.FREED:
                return await read_host(fleet, host_id), host.holder
            case Release.BUSY:
                break
            case Release.MOVED:
                pass  # the task went on meanwhile
    raise StateInvalid(
        say(
            "Task {task} is at work on host {id} just now. Cancel the task first "
            "(POST /api/v2/tasks/instances/{task}/cancel), then release the host.",
            task=host.holder,
            id=host_id,
        )
    )


async def _release(fleet: Fleet, host: Host, holder: int) -> Release:
    tasks = fleet.store.tasks
    try:
        task = await find_task(fleet, holder)
    except TaskNotFound:
        return await tasks.release_host(host, None, None, fleet.clock(), None)
    hosts = await tasks.host_ids(holder)
    index = hosts.index(host.target.host_id)
    planned = task.plan.steps[task.current_step]
    series_id = planned.first + index if planned.step.per_host else None
    state = task.find_last_state(await tasks.subtasks(task), index)
    return await tasks.release_host(host, task, series_id, fleet.clock(), state)
