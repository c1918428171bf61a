"""The demonstration: one request, the progress of its task, and the proof that the agents' processes have ended."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo.stack import Facts, Stack

_LIMIT = 100.0
"""Seconds until the task must have ended."""
_STOP = "Stop all OCP agent processes"
Task = dict[str, Any]
"""A task in a reply of the API."""


class DemoFailedError(Exception):
    """The demonstration did not show what it should."""


def show(stack: Stack, say: Callable[[str], None]) -> str:
    """Stop the agents of all hosts with one request, prove it, and return the closing line.

    Raises:
        DemoFailedError: the task did not succeed, or an agent's process is still alive.
    """
    for host_id, agent in stack.agents.items():
        say(f"host {host_id}: {_format_processes(agent.list_processes())}")
    with _connect(stack.facts) as client:
        task = _submit(client, stack.facts, say)
        task = _watch(client, task["id"])
        say(_read_stop_log(client, task))
    alive = {host_id: agent.list_processes() for host_id, agent in stack.agents.items()}
    for host_id, processes in alive.items():
        say(f"host {host_id}: {_format_processes(processes)}")
    stopped = sum(not processes for processes in alive.values())
    summary = f"stopped {stopped} of {len(alive)} agents, task {task['id']} {task['status']}"
    if stopped < len(alive) or task["status"] != "SUCCESSFUL":
        raise DemoFailedError(summary)
    return summary


@contextmanager
def _connect(facts: Facts) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{facts.api}/api/v2", auth=(facts.user, facts.password), timeout=30) as client:
        yield client


def _submit(client: httpx.Client, facts: Facts, say: Callable[[str], None]) -> Task:
    body = {"hostIds": list(facts.hosts)}
    say(f"POST /api/v2/compute/hosts/batchStopAgents {body}")
    reply = client.post("/compute/hosts/batchStopAgents", json=body)
    if reply.status_code != httpx.codes.OK:
        raise DemoFailedError(f"the API replied {reply.status_code}: {reply.text}")
    document = reply.json()
    task: Task = document["data"]
    say(f"{reply.status_code} in {document['duration']} ms: task {task['id']}, {len(task['subtasks'])} subtasks")
    return task


def _watch(client: httpx.Client, task_id: int) -> Task:
    """Show the task's steps live until it ends; without a terminal, print a line for each change."""
    console = Console()
    deadline = time.monotonic() + _LIMIT
    seen = ""
    with Live(console=console, refresh_per_second=10, transient=False, auto_refresh=console.is_terminal) as live:
        while True:
            task: Task = client.get(f"/tasks/instances/{task_id}").json()["data"]
            if console.is_terminal:
                live.update(_make_table(task))
            elif (line := _format_line(task)) != seen:
                console.print(line, highlight=False)
                seen = line
            if task["status"] != "RUNNING":
                return task
            if time.monotonic() > deadline:
                raise DemoFailedError(f"task {task_id} was still running after {_LIMIT:g} s")
            time.sleep(0.1)


def _count_steps(task: Task) -> list[tuple[str, Counter[str]]]:
    """Return the steps in plan order, each with the number of subtasks by status."""
    steps: list[tuple[str, Counter[str]]] = []
    for subtask in sorted(task["subtasks"], key=lambda subtask: subtask["seriesId"]):
        if not steps or steps[-1][0] != subtask["name"]:
            steps.append((subtask["name"], Counter()))
        steps[-1][1][subtask["status"]] += 1
    return steps


def _make_table(task: Task) -> Table:
    table = Table(title=f"task {task['id']} {task['name']}: {task['status']}", title_justify="left")
    for heading in ("step", "done", "statuses"):
        table.add_column(heading)
    for name, statuses in _count_steps(task):
        total = statuses.total()
        done = statuses["SUCCESSFUL"]
        bar = "█" * (20 * done // total)
        table.add_row(name, f"{bar:<20} {done}/{total}", _format_statuses(statuses))
    return table


def _format_line(task: Task) -> str:
    steps = " | ".join(f"{name}: {_format_statuses(statuses)}" for name, statuses in _count_steps(task))
    return f"task {task['id']} {task['status']}: {steps}"


def _format_statuses(statuses: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))


def _read_stop_log(client: httpx.Client, task: Task) -> str:
    subtask = next(each for each in task["subtasks"] if each["name"] == _STOP)
    reply = client.get(f"/tasks/instances/{task['id']}/subtasks/{subtask['id']}/log").json()
    return f"log of subtask {subtask['id']} ({_STOP}):\n{reply['data']['log']}"


def _format_processes(processes: list[tuple[int, str]]) -> str:
    return ", ".join(f"{name} {pid}" for pid, name in processes) or "no process of the agent is alive"
