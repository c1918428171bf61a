"""Reports a task to people: its progress, which hosts failed and why, and what they can do next."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cli import output
from cli.commands.task.progress import count_steps
from cli.host_names import HostName, read_host_names
from cli.output import Document, format_count, format_duration, format_time
from cli.remote.client import Client

MAX_REASONS: Final = 20
"""Failures that are shown with their reason, unless a person asks for all."""
MAX_READS: Final = 8
"""Logs that are read at a time."""
_INDENT: Final = "    "
_RULE: Final = "############"


@dataclass(frozen=True, slots=True)
class Failure:
    """A subtask that failed."""

    host: HostName | None
    """None for a wait node."""
    subtask_id: int
    step: str
    run: int
    operation: str
    reason: str | None
    """The last line of its log; empty if the log is empty, None if the log was not read."""

    @property
    def where(self) -> str:
        """The host's label, or the whole task."""
        return self.host.label if self.host else "the whole task"

    def to_document(self) -> Document:
        """Return it as JSON for scripts."""
        host = {"hostId": self.host.id, "alias": self.host.alias} if self.host else {"hostId": None, "alias": None}
        return host | {
            "subtaskId": self.subtask_id,
            "step": self.step,
            "runTime": self.run,
            "operation": self.operation,
            "reason": self.reason or None,
        }


async def read_task(client: Client, task_id: int) -> Document:
    """Return a task with its subtasks."""
    task: Document = await client.get(f"/tasks/instances/{task_id}")
    return task


async def read_hosts(client: Client, task_id: int) -> dict[int, HostName]:
    """Return the hosts of a task by the parallelIdx of their subtasks."""
    hosts = await client.get_all(f"/tasks/instances/{task_id}/hosts")
    return {host["parallelIdx"]: name for host, name in zip(hosts, read_host_names(hosts), strict=True)}


def find_host(subtask: Document, hosts: Mapping[int, HostName]) -> HostName | None:
    """Return the host of a subtask; None for a wait node. In a task for one host, every subtask has that host."""
    return hosts.get(subtask["parallelIdx"])


async def read_failures(client: Client, task: Document, limit: int | None = MAX_REASONS) -> list[Failure]:
    """Return the failed subtasks in plan order, the first `limit` of them with the last line of their logs."""
    failed = [subtask for subtask in task["subtasks"] if subtask["status"] == "FAILED"]
    if not failed:
        return []
    hosts = await read_hosts(client, int(task["id"]))
    failed.sort(key=lambda subtask: int(subtask["seriesId"]))
    gate = asyncio.Semaphore(MAX_READS)

    async def read_reason(subtask: Document) -> str:
        async with gate:
            path = f"/tasks/instances/{task['id']}/subtasks/{subtask['id']}/log"
            return find_last_line((await client.get(path))["log"])

    reasons: list[str | None] = list(await asyncio.gather(*map(read_reason, failed[:limit])))
    reasons += [None] * (len(failed) - len(reasons))
    return [_make_failure(subtask, hosts, reason) for subtask, reason in zip(failed, reasons, strict=True)]


def _make_failure(subtask: Document, hosts: Mapping[int, HostName], reason: str | None) -> Failure:
    return Failure(
        find_host(subtask, hosts),
        int(subtask["id"]),
        subtask["name"],
        subtask["runTime"],
        subtask["operation"],
        reason,
    )


def find_last_line(log: str) -> str:
    """Return the last message of a log, without its time and its source."""
    rows = [row for row in log.splitlines() if row and not row.startswith((_INDENT, _RULE))]
    return rows[-1].partition(" : ")[2] or rows[-1] if rows else ""


def make_heading(task: Document) -> str:
    """Return a task's id, name, status and operation on one line."""
    again = f", {task['operation']}" * (task["operation"] != "EXECUTE")
    return f"Task {task['id']}  {task['name']}: {task['status']}{again}"


def report(task: Document, failures: Sequence[Failure]) -> None:
    """Show a task, its steps and its failures."""
    output.say(make_heading(task))
    took = format_duration(task["startTime"], task.get("finishTime"))
    ended = f", ended {format_time(task['finishTime'])} after {took}" if took else ""
    output.say(f"by {task['creator']['name']}, began {format_time(task['startTime'])}{ended}\n")
    output.show_table(("step", "subtasks"), ((step.name, str(step)) for step in count_steps(task)))
    report_failures(task, failures)


def report_failures(task: Document, failures: Sequence[Failure]) -> None:
    """Show failures and, if the task failed, the commands that can follow."""
    if not failures:
        return
    output.say(f"\n{format_count(len(failures), 'subtask')} failed:")
    explained = [failure for failure in failures if failure.reason is not None]
    for failure in explained:
        cancelled = ", cancelled" * (failure.operation == "CANCEL")
        output.say(f"  {failure.where}  {failure.step}, run {failure.run}{cancelled}")
        if failure.reason:
            output.say_paragraph(failure.reason, "      ")
    if len(explained) < len(failures):
        output.say(f"  … and {len(failures) - len(explained)} more: `ocpfleet task show {task['id']} --all`")
    if task["status"] == "FAILED":
        for line in _list_decisions(task, failures):
            output.say(line)


def _list_decisions(task: Document, failures: Iterable[Failure]) -> Iterator[str]:
    name = next((one.host.word for one in failures if one.host), "HOST")
    task_id = task["id"]
    yield "\nThe task holds all its hosts until somebody decides:"
    for words, meaning in (
        (f"log {task_id} --host {name}", "show everything that was done there"),
        (f"retry {task_id}", "run what failed again; with --host only on one host"),
        (f"skip {task_id} --host {name}", "count it as done"),
        (f"rollback {task_id}", "undo what was done, and release the hosts"),
    ):
        yield f"  ocpfleet task {words:<{len(str(task_id)) + len(name) + 14}}  {meaning}"


async def report_end(client: Client, task_id: int) -> None:
    """Show how a task ended, and its failures."""
    task = await read_task(client, task_id)
    took = format_duration(task["startTime"], task.get("finishTime"))
    output.say(f"{make_heading(task)}{f' after {took}' if took else ''}")
    report_failures(task, await read_failures(client, task))
