"""The people: several at a time stop, start, retry, cancel and roll back, over HTTP, on hosts that overlap."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.chaos.rig import Rig

Json = dict[str, Any]
_PEOPLE = 4
_SEVERAL = (2, 16)
"""Hosts of one request."""
_SUBMITS, _STOPS = 0.5, 0.3
"""Of all that a person does so much is a new request, and so much a stop."""


@dataclass
class Load:
    """What is asked for from `start` to `stop`, and what came of it."""

    rig: Rig
    hosts: int
    seed: int
    answers: Counter[str] = field(default_factory=Counter)
    """By what was asked for and the status code, or the name of the error."""
    rollbacks: Counter[int] = field(default_factory=Counter)
    """By task: how often it was rolled back, or may have been."""
    accepted: list[int] = field(default_factory=list)
    """The tasks whose acceptance was answered."""
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin to ask."""
        for number in range(_PEOPLE):
            draws = random.Random(f"{self.seed} person {number}")  # noqa: S311 - no secret
            self._threads.append(threading.Thread(target=self._person, args=(draws,), daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask for no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def ask(self, client: httpx.Client, what: str, path: str, body: object = None) -> Json | None:
        """Ask for something; None where it was not done, or nobody knows."""
        try:
            reply = client.post(path, json=body) if body is not None else client.post(path)
        except httpx.TransportError as error:
            self._note(f"{what}: {type(error).__name__}")
            self._turned(what, path)
            return None
        self._note(f"{what}: {reply.status_code}")
        if reply.is_success or reply.is_server_error:
            self._turned(what, path)
        document: Json = reply.json() if reply.is_success else {}
        return document.get("data")

    def _turned(self, what: str, path: str) -> None:
        if what == "rollback":
            with self._lock:
                self.rollbacks[int(path.split("/")[-2])] += 1

    def _note(self, answer: str) -> None:
        with self._lock:
            self.answers[answer] += 1

    def _person(self, draws: random.Random) -> None:
        system = self.rig.system
        with httpx.Client(base_url=f"{system.api}/api/v2", auth=system.client.auth, timeout=10) as client:
            while not self._over.wait(draws.uniform(0.1, 0.8)):
                self._act(client, draws)

    def _act(self, client: httpx.Client, draws: random.Random) -> None:
        drawn = draws.random()
        if drawn < _SUBMITS:
            self._submit(client, draws, "Stop" if drawn < _STOPS else "Start")
        elif task := self._holder(client, draws):
            path = f"/tasks/instances/{task['id']}"
            act = {"FAILED": self._turn, "RUNNING": self._cancel}.get(task["status"])
            if act is not None:
                act(client, draws, path, task["subtasks"])

    def _submit(self, client: httpx.Client, draws: random.Random, word: str) -> None:
        first, many = draws.randrange(self.hosts), draws.randint(*_SEVERAL)
        ids = [(first + offset) % self.hosts + 1 for offset in range(many)]
        task = self.ask(client, word.lower(), f"/compute/hosts/batch{word}Agents", {"hostIds": ids})
        if task is not None:
            with self._lock:
                self.accepted.append(int(task["id"]))

    def _turn(self, client: httpx.Client, draws: random.Random, path: str, subtasks: list[Json]) -> None:
        """Have a failed task go on, or back."""
        drawn = draws.random()
        failed = [one["id"] for one in subtasks if one["status"] == "FAILED"]
        if drawn < 0.4:
            self.ask(client, "retry", f"{path}/retry")
        elif drawn < 0.8 or not failed:
            self.ask(client, "rollback", f"{path}/rollback")
        else:
            self.ask(client, "retry subtask", f"{path}/subtasks/{draws.choice(failed)}/retry")

    def _cancel(self, client: httpx.Client, draws: random.Random, path: str, subtasks: list[Json]) -> None:
        """Now and then stop a task, or one of its runs."""
        drawn = draws.random()
        running = [one["id"] for one in subtasks if one["status"] == "RUNNING"]
        if drawn < 0.1:
            self.ask(client, "cancel", f"{path}/cancel")
        elif drawn < 0.5 and running:
            self.ask(client, "cancel subtask", f"{path}/subtasks/{draws.choice(running)}/cancel")

    def _holder(self, client: httpx.Client, draws: random.Random) -> Json | None:
        """Return one of the tasks that hold hosts, as it stands."""
        data = self._get(client, "/compute/hosts", size=self.hosts) or {"contents": []}
        holders = sorted({int(host["holderTaskId"]) for host in data["contents"] if host["holderTaskId"] is not None})
        return self._get(client, f"/tasks/instances/{draws.choice(holders)}") if holders else None

    def _get(self, client: httpx.Client, path: str, **asked: str | int) -> Json | None:
        try:
            reply = client.get(path, params=asked)
        except httpx.TransportError as error:
            self._note(f"read: {type(error).__name__}")
            time.sleep(0.2)
            return None
        if not reply.is_success:
            self._note(f"read: {reply.status_code}")
        data: Json | None = reply.json()["data"] if reply.is_success else None
        return data
