"""Frees a host from a task that does not give it back. It is a last resort for administrators."""

from typing import Final

from app.context import Context
from app.hosts.service import read_host
from app.tasks.find import find_task
from core.errors import StateInvalid, TaskNotFound
from core.host import Host
from core.text import say
from infra.store.host_values import Release

_MAX_TRIES: Final = 5
"""How many times a task is looked at that goes on in the meantime."""


async def free_host(context: Context, host_id: int) -> tuple[Host, int]:
    """Free a host from the task that holds it. Return the host as it is then, and the id of the task.

    Host and agent get the state that the task saw last. Where it never looked at the host, they get the state from
    before the task. The rest of the task passes the host over or fails there: it works only on hosts that it holds.

    Raises:
        NotFound: the host is not in the inventory.
        StateInvalid: no task holds it, or a run of the task works on it at the moment.
    """
    for _ in range(_MAX_TRIES):
        host = await read_host(context, host_id)
        if host.holder is None:
            raise StateInvalid(say("No task holds host {id}, so it cannot be released.", id=host_id))
        match await _try_release(context, host, host.holder):
            case Release.FREED:
                return await read_host(context, host_id), host.holder
            case Release.BUSY:
                break
            case Release.MOVED:
                pass  # the task went on in the meantime
    raise StateInvalid(
        say(
            "Task {task} is working on host {id}. Cancel the task first (POST /api/v2/tasks/instances/{task}/cancel), "
            "then release the host.",
            task=host.holder,
            id=host_id,
        )
    )


async def _try_release(context: Context, host: Host, holder: int) -> Release:
    tasks = context.store.tasks
    try:
        task = await find_task(context, holder)
    except TaskNotFound:
        return await tasks.release_host(host, None, None, context.clock(), None)
    hosts = await tasks.host_ids(holder)
    index = hosts.index(host.target.host_id)
    planned = task.plan.steps[task.current_step]
    series_id = planned.first + index if planned.step.per_host else None
    state = task.find_last_state(await tasks.subtasks(task), index)
    return await tasks.release_host(host, task, series_id, context.clock(), state)
