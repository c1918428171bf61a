"""The load: operators send requests while faults happen, and their answers are counted."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.chaos.balancer import Balancer
from tests.chaos.operators import Operator
from tests.chaos.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.rig import Rig

Json = dict[str, Any]
_OPERATORS = 6


@dataclass
class Load:
    """Requests of several operators at a time, from `start` to `stop`."""

    rig: Rig
    hosts: int
    seed: int
    answers: Counter[str] = field(default_factory=Counter)
    """The number of answers, by the request and its status code or error."""
    rollbacks: Counter[int] = field(default_factory=Counter)
    """The number of times that a task was rolled back, or may have been, by task."""
    skipped: set[int] = field(default_factory=set)
    """The subtasks that were skipped, or may have been."""
    accepted: list[int] = field(default_factory=list)
    """The tasks whose acceptance was answered."""
    _threads: Threads = field(default_factory=Threads)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start the operators."""
        for number in range(_OPERATORS):
            self._threads.start(self._run_operator, number)

    def stop(self) -> None:
        """Stop the operators."""
        self._threads.stop()

    def ask(self, client: httpx.Client, what: str, path: str, body: object = None) -> Json | None:
        """Send a request; return its data, or None if it was refused or its result is unknown."""
        try:
            reply = client.post(path, json=body) if body is not None else client.post(path)
        except httpx.TransportError as error:
            self.note(f"{what}: {type(error).__name__}")
            self._note_change(what, path)
            return None
        self.note(f"{what}: {reply.status_code}")
        if reply.is_success or reply.is_server_error:
            self._note_change(what, path)
        document: Json = reply.json() if reply.is_success else {}
        return document.get("data")

    def submit(self, client: httpx.Client, what: str, path: str, hosts: Sequence[int]) -> None:
        """Request a new task, and remember it if its acceptance was answered."""
        task = self.ask(client, what, path, {"hostIds": hosts})
        if task is not None:
            with self._lock:
                self.accepted.append(int(task["id"]))

    def note(self, answer: str) -> None:
        """Count an answer."""
        with self._lock:
            self.answers[answer] += 1

    def _note_change(self, what: str, path: str) -> None:
        """Remember rollbacks and skips, which change what the invariants expect."""
        with self._lock:
            if what == "rollback":
                self.rollbacks[int(path.split("/")[-2])] += 1
            elif what == "skip subtask":
                self.skipped.add(int(path.split("/")[-2]))

    def _run_operator(self, number: int) -> None:
        draws = random.Random(f"{self.seed} person {number}")
        apis = [self.rig.get_address(api) for api in self.rig.apis]
        transport = Balancer(apis[number % len(apis) :] + apis[: number % len(apis)], httpx.HTTPTransport())
        auth = self.rig.system.client.auth
        with httpx.Client(transport=transport, base_url="http://api/api/v2", auth=auth, timeout=10) as client:
            operator = Operator(self, client, draws)
            while not self._threads.is_over(draws.uniform(0.1, 0.8)):
                operator.act()
