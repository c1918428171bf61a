"""Operators: each requests stops, starts and restarts over HTTP, and retries, skips or rolls back what failed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import random

    from tests.chaos.load import Load

Json = dict[str, Any]
_SEVERAL = (2, 16)
"""Hosts of one request."""
_WORDS = ("Stop", "Stop", "Restart", "Start")
"""The requests. Stops are as frequent as starts and restarts together, so that there is always an agent to stop."""
_SUBMITS, _SUBMITS_CROWDED = 0.6, 0.2
"""The share of new tasks in an operator's actions; it is lower in a crowded fleet, so that hosts become free."""
_CROWDED = 0.7
"""The share of held hosts from which a fleet counts as crowded."""
_OVERLAPS = 0.3
"""The share of new tasks for any hosts; the others are for hosts that were free at the operator's last look."""


@dataclass
class Operator:
    """One operator."""

    load: Load
    client: httpx.Client
    draws: random.Random
    _held: dict[int, int] = field(default_factory=dict)
    """The task that held a host at this operator's last look, by host."""

    def act(self) -> None:
        """Do one thing."""
        crowded = len(self._held) >= _CROWDED * self.load.hosts
        if self.draws.random() < (_SUBMITS_CROWDED if crowded else _SUBMITS):
            self._submit()
        elif task := self._choose_holding_task():
            act = {"FAILED": self._retry_or_undo, "RUNNING": self._cancel}.get(task["status"])
            if act is not None:
                act(task)

    def _submit(self) -> None:
        word, many = self.draws.choice(_WORDS), self.draws.randint(*_SEVERAL)
        everyone = range(1, self.load.hosts + 1)
        free = [host for host in everyone if host not in self._held]
        chosen = list(everyone) if len(free) < many or self.draws.random() < _OVERLAPS else free
        first = self.draws.randrange(len(chosen))
        ids = (chosen[first:] + chosen[:first])[:many]
        self.load.submit(self.client, word.lower(), f"/compute/hosts/batch{word}Agents", ids)

    def _retry_or_undo(self, task: Json) -> None:
        """Retry, skip or roll back what failed of a task."""
        drawn, path = self.draws.random(), f"/tasks/instances/{task['id']}"
        failed = [one for one in task["subtasks"] if one["status"] == "FAILED"]
        if drawn < 0.35:
            self.load.ask(self.client, "retry", f"{path}/retry")
        elif drawn < 0.7 or not failed:
            self.load.ask(self.client, "rollback", f"{path}/rollback")
        else:
            word = "retry" if drawn < 0.85 else "skip"
            self.load.ask(self.client, f"{word} subtask", f"{path}/subtasks/{self.draws.choice(failed)['id']}/{word}")

    def _cancel(self, task: Json) -> None:
        """Now and then, cancel a task or one of its running subtasks."""
        drawn, path = self.draws.random(), f"/tasks/instances/{task['id']}"
        running = [one["id"] for one in task["subtasks"] if one["status"] == "RUNNING"]
        if drawn < 0.05:
            self.load.ask(self.client, "cancel", f"{path}/cancel")
        elif drawn < 0.3 and running:
            self.load.ask(self.client, "cancel subtask", f"{path}/subtasks/{self.draws.choice(running)}/cancel")

    def _choose_holding_task(self) -> Json | None:
        """Return one of the tasks that hold hosts; None if there is none or the API does not answer."""
        data = self._get("/compute/hosts", size=self.load.hosts)
        if data is None:
            return None
        holders = {int(host["id"]): host["holderTaskId"] for host in data["contents"]}
        self._held = {host: int(task) for host, task in holders.items() if task is not None}
        tasks = sorted(set(self._held.values()))
        return self._get(f"/tasks/instances/{self.draws.choice(tasks)}") if tasks else None

    def _get(self, path: str, **asked: str | int) -> Json | None:
        try:
            reply = self.client.get(path, params=asked)
        except httpx.TransportError as error:
            self.load.note(f"read: {type(error).__name__}")
            time.sleep(0.2)
            return None
        if not reply.is_success:
            self.load.note(f"read: {reply.status_code}")
        data: Json | None = reply.json()["data"] if reply.is_success else None
        return data
