"""The people: each asks for stops, starts and restarts, and has what failed go on or back, over HTTP."""

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
"""What is asked for. Hosts are stopped as often as they are started, so that there always is something to stop."""
_SUBMITS, _SUBMITS_CROWDED = 0.6, 0.2
"""Of all that a person does so much is a new request; less where the fleet is crowded, so that hosts become free."""
_CROWDED = 0.7
"""Crowded is a fleet of which so much is held."""
_OVERLAPS = 0.3
"""Of all new requests so many are for any hosts, the others for those that were free when the person looked last."""


@dataclass
class Person:
    """One of the people."""

    load: Load
    client: httpx.Client
    draws: random.Random
    _held: dict[int, int] = field(default_factory=dict)
    """By host: the task that held it when this person looked last."""

    def act(self) -> None:
        """Do one thing."""
        crowded = len(self._held) >= _CROWDED * self.load.hosts
        if self.draws.random() < (_SUBMITS_CROWDED if crowded else _SUBMITS):
            self._submit()
        elif task := self._holder():
            act = {"FAILED": self._turn, "RUNNING": self._cancel}.get(task["status"])
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

    def _turn(self, task: Json) -> None:
        """Have a failed task go on, or back."""
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
        """Now and then stop a task, or one of its runs."""
        drawn, path = self.draws.random(), f"/tasks/instances/{task['id']}"
        running = [one["id"] for one in task["subtasks"] if one["status"] == "RUNNING"]
        if drawn < 0.05:
            self.load.ask(self.client, "cancel", f"{path}/cancel")
        elif drawn < 0.3 and running:
            self.load.ask(self.client, "cancel subtask", f"{path}/subtasks/{self.draws.choice(running)}/cancel")

    def _holder(self) -> Json | None:
        """Return one of the tasks that hold hosts, as it stands."""
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
