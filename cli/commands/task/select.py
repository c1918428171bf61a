"""Which subtasks of a task are meant: by their ids, by their hosts, or all that stand a certain way. Pure."""

from collections.abc import Mapping, Sequence

from cli.commands.task.report import host_of
from cli.host_names import Named, chosen, folded
from cli.output import Document
from core.errors import InvalidRequest


def subtasks_of(
    task: Document, hosts: Mapping[int, Named], words: Sequence[str], ids: Sequence[int], status: str | None = None
) -> list[Document]:
    """Return the subtasks that are meant, in plan order.

    Args:
        task: the task with its subtasks.
        hosts: its hosts by parallelIdx.
        words: hosts of the task, by id, alias or pattern.
        ids: subtasks, by id.
        status: of a host only those subtasks that stand so; None for all.

    Raises:
        InvalidRequest: a host or a subtask is not of this task, or a host has no subtask that stands so.
    """
    known = {int(subtask["id"]): subtask for subtask in task["subtasks"]}
    unknown = [str(subtask_id) for subtask_id in ids if subtask_id not in known]
    if unknown:
        raise InvalidRequest("SUBTASK", unknown, f"Not in task {task['id']}: {', '.join(unknown)}. Nothing was done.")
    meant = set(ids)
    idle: list[str] = []
    for host in chosen(words, hosts.values(), f"in task {task['id']}"):
        own = {
            subtask_id
            for subtask_id, subtask in known.items()
            if host_of(subtask, hosts) == host and status in {None, subtask["status"]}
        }
        meant |= own
        if not own:
            idle.append(host.short)
    if idle:
        raise InvalidRequest(
            "--host", idle, f"Task {task['id']} has no subtask that is {status} on {folded(idle)}. Nothing was done."
        )
    return sorted((known[subtask_id] for subtask_id in meant), key=lambda subtask: int(subtask["seriesId"]))
