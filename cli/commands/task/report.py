"""What is told of a task: how it stands, which hosts failed and why, and what can be decided."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cli import output
from cli.commands.task.progress import of_task
from cli.host_names import Named, named
from cli.output import Document, counted, duration, moment
from cli.remote.client import Client

SHOWN: Final = 20
"""Of so many failed hosts the reason is told, unless all are asked for."""
_AT_ONCE: Final = 8
"""So many logs are read at a time."""
_ALONE: Final = -1
"""The parallelIdx of a subtask that is about no one of several hosts."""
_INDENT: Final = "    "
_RULE: Final = "############"


@dataclass(frozen=True, slots=True)
class Failure:
    """A subtask that failed."""

    host: Named | None
    """None for a wait node."""
    subtask_id: int
    step: str
    run: int
    operation: str
    reason: str | None
    """The last line of its log; empty where it has none, None where it was not read."""

    @property
    def where(self) -> str:
        """How people call the place."""
        return self.host.name if self.host else "the whole task"

    def document(self) -> Document:
        """Return it for scripts."""
        host = {"hostId": self.host.id, "alias": self.host.alias} if self.host else {"hostId": None, "alias": None}
        return host | {
            "subtaskId": self.subtask_id,
            "step": self.step,
            "runTime": self.run,
            "operation": self.operation,
            "reason": self.reason or None,
        }


async def read_task(client: Client, task_id: int) -> Document:
    """Return a task as it stands."""
    task: Document = await client.get(f"/tasks/instances/{task_id}")
    return task


async def read_hosts(client: Client, task_id: int) -> dict[int, Named]:
    """Return the hosts of a task by the parallelIdx of their subtasks."""
    hosts = await client.everything(f"/tasks/instances/{task_id}/hosts")
    return {host["parallelIdx"]: one for host, one in zip(hosts, named(hosts), strict=True)}


def host_of(subtask: Document, hosts: Mapping[int, Named]) -> Named | None:
    """Return the host of a subtask; None for a wait node. In a task for one host all are about that one."""
    return hosts.get(subtask["parallelIdx"])


async def read_failures(client: Client, task: Document, most: int | None = SHOWN) -> list[Failure]:
    """Return what failed of a task in plan order, the first `most` with the last line of their logs."""
    failed = [subtask for subtask in task["subtasks"] if subtask["status"] == "FAILED"]
    if not failed:
        return []
    hosts = await read_hosts(client, int(task["id"]))
    failed.sort(key=lambda subtask: int(subtask["seriesId"]))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def reason(subtask: Document) -> str:
        async with gate:
            path = f"/tasks/instances/{task['id']}/subtasks/{subtask['id']}/log"
            return last_line((await client.get(path))["log"])

    reasons = await asyncio.gather(*map(reason, failed[:most]))
    told = [*reasons, *[None] * (len(failed) - len(reasons))]
    return [_failure(subtask, hosts, why) for subtask, why in zip(failed, told, strict=True)]


def _failure(subtask: Document, hosts: Mapping[int, Named], reason: str | None) -> Failure:
    return Failure(
        host_of(subtask, hosts),
        int(subtask["id"]),
        subtask["name"],
        subtask["runTime"],
        subtask["operation"],
        reason,
    )


def last_line(log: str) -> str:
    """Return the last thing that a log says, without its time and where it was said."""
    rows = [row for row in log.splitlines() if row and not row.startswith((_INDENT, _RULE))]
    return rows[-1].partition(" : ")[2] or rows[-1] if rows else ""


def heading(task: Document) -> str:
    """Return what a task is and how it stands, on one line."""
    again = f", {task['operation']}" * (task["operation"] != "EXECUTE")
    return f"Task {task['id']}  {task['name']}: {task['status']}{again}"


def tell(task: Document, failures: Sequence[Failure]) -> None:
    """Show a task: its steps, and what failed."""
    output.say(heading(task))
    took = duration(task["startTime"], task.get("finishTime"))
    ended = f", ended {moment(task['finishTime'])} after {took}" if took else ""
    output.say(f"by {task['creator']['name']}, began {moment(task['startTime'])}{ended}\n")
    output.show_table(("step", "subtasks"), ((step.name, str(step)) for step in of_task(task)))
    tell_failures(task, failures)


def tell_failures(task: Document, failures: Sequence[Failure]) -> None:
    """Show what failed, and what can be decided."""
    if not failures:
        return
    output.say(f"\n{counted(len(failures), 'subtask')} failed:")
    told = [failure for failure in failures if failure.reason is not None]
    for failure in told:
        cancelled = ", cancelled" * (failure.operation == "CANCEL")
        output.say(f"  {failure.where}  {failure.step}, run {failure.run}{cancelled}")
        if failure.reason:
            output.paragraph(failure.reason, "      ")
    if len(told) < len(failures):
        output.say(f"  … and {len(failures) - len(told)} more: `ocpfleet task show {task['id']} --all`")
    if task["status"] == "FAILED":
        for line in _decisions(task, failures):
            output.say(line)


def _decisions(task: Document, failures: Iterable[Failure]) -> Iterator[str]:
    name = next((one.host.short for one in failures if one.host), "HOST")
    task_id = task["id"]
    yield "\nAll its hosts stay with the task until somebody decides:"
    for words, meaning in (
        (f"log {task_id} --host {name}", "everything that was done there"),
        (f"retry {task_id}", "run again what failed; or what failed of one: --host"),
        (f"skip {task_id} --host {name}", "let it count as done"),
        (f"rollback {task_id}", "undo what was done, and give the hosts back"),
    ):
        yield f"  ocpfleet task {words:<{len(str(task_id)) + len(name) + 14}}  {meaning}"


async def tell_end(client: Client, task_id: int) -> None:
    """Say how a task that was followed ended, and what failed."""
    task = await read_task(client, task_id)
    took = duration(task["startTime"], task.get("finishTime"))
    output.say(f"{heading(task)}{f' after {took}' if took else ''}")
    tell_failures(task, await read_failures(client, task))
