"""Selects subtasks of a task by their ids, their hosts and their status. Pure."""

from collections.abc import Mapping, Sequence

from cli.commands.task.report import find_host
from cli.host_names import HostName, choose_hosts, fold_names
from cli.output import Document
from core.errors import InvalidRequest


def select_subtasks(
    task: Document, hosts: Mapping[int, HostName], words: Sequence[str], ids: Sequence[int], status: str | None = None
) -> list[Document]:
    """Return the selected subtasks, in plan order.

    Args:
        task: the task with its subtasks.
        hosts: its hosts by parallelIdx.
        words: hosts by id, alias or pattern; their subtasks are selected.
        ids: ids of further subtasks.
        status: the status that a host's subtasks must have; None for any.

    Raises:
        InvalidRequest: a host or a subtask does not belong to this task, or a host has no subtask with this status.
    """
    known = {int(subtask["id"]): subtask for subtask in task["subtasks"]}
    unknown = [str(subtask_id) for subtask_id in ids if subtask_id not in known]
    if unknown:
        raise InvalidRequest("SUBTASK", unknown, f"Not in task {task['id']}: {', '.join(unknown)}. Nothing was done.")
    selected = set(ids)
    idle: list[str] = []
    for host in choose_hosts(words, hosts.values(), f"in task {task['id']}"):
        own = {
            subtask_id
            for subtask_id, subtask in known.items()
            if find_host(subtask, hosts) == host and status in {None, subtask["status"]}
        }
        selected |= own
        if not own:
            idle.append(host.word)
    if idle:
        raise InvalidRequest(
            "--host",
            idle,
            f"Task {task['id']} has no subtask that is {status} on {fold_names(idle)}. Nothing was done.",
        )
    return sorted((known[subtask_id] for subtask_id in selected), key=lambda subtask: int(subtask["seriesId"]))
