"""What is asked for while things are killed, and what came of it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.chaos.balancer import Balancer
from tests.chaos.operators import Person
from tests.chaos.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.rig import Rig

Json = dict[str, Any]
_PEOPLE = 6


@dataclass
class Load:
    """What several people at a time ask for from `start` to `stop`."""

    rig: Rig
    hosts: int
    seed: int
    answers: Counter[str] = field(default_factory=Counter)
    """By what was asked for and the status code, or the name of the error."""
    rollbacks: Counter[int] = field(default_factory=Counter)
    """By task: how often it was rolled back, or may have been."""
    skipped: set[int] = field(default_factory=set)
    """The subtasks that were skipped, or may have been."""
    accepted: list[int] = field(default_factory=list)
    """The tasks whose acceptance was answered."""
    _threads: Threads = field(default_factory=Threads)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin to ask."""
        for number in range(_PEOPLE):
            self._threads.start(self._person, number)

    def stop(self) -> None:
        """Ask for no more."""
        self._threads.stop()

    def ask(self, client: httpx.Client, what: str, path: str, body: object = None) -> Json | None:
        """Ask for something; None where it was not done, or nobody knows."""
        try:
            reply = client.post(path, json=body) if body is not None else client.post(path)
        except httpx.TransportError as error:
            self.note(f"{what}: {type(error).__name__}")
            self._turned(what, path)
            return None
        self.note(f"{what}: {reply.status_code}")
        if reply.is_success or reply.is_server_error:
            self._turned(what, path)
        document: Json = reply.json() if reply.is_success else {}
        return document.get("data")

    def submit(self, client: httpx.Client, what: str, path: str, hosts: Sequence[int]) -> None:
        """Ask for a new task; one whose acceptance is answered must not be forgotten."""
        task = self.ask(client, what, path, {"hostIds": hosts})
        if task is not None:
            with self._lock:
                self.accepted.append(int(task["id"]))

    def note(self, answer: str) -> None:
        """Count an answer."""
        with self._lock:
            self.answers[answer] += 1

    def _turned(self, what: str, path: str) -> None:
        """Keep in mind what changes what must hold in the end."""
        with self._lock:
            if what == "rollback":
                self.rollbacks[int(path.split("/")[-2])] += 1
            elif what == "skip subtask":
                self.skipped.add(int(path.split("/")[-2]))

    def _person(self, number: int) -> None:
        draws = random.Random(f"{self.seed} person {number}")
        apis = [self.rig.address(api) for api in self.rig.apis]
        transport = Balancer(apis[number % len(apis) :] + apis[: number % len(apis)], httpx.HTTPTransport())
        auth = self.rig.system.client.auth
        with httpx.Client(transport=transport, base_url="http://api/api/v2", auth=auth, timeout=10) as client:
            person = Person(self, client, draws)
            while not self._threads.over(draws.uniform(0.1, 0.8)):
                person.act()
