"""Runs chords: a Valkey like ours, a worker process like ours, and Celery as it comes."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from celery import Celery, chord

from bench import chord_app
from bench.system import start_store
from bench.waiting import until
from demo.supervisor import Supervisor

_STARTED = "[queues]"
"""What a worker says at Celery's own log level; that it takes messages is seen by the first chord."""
_UP = 30.0
"""Seconds that a worker may take to come up."""
_THREADS = 128
"""Messages that a worker handles at a time, as ours do."""


@dataclass(frozen=True, slots=True)
class Chords:
    """A running Celery."""

    app: Celery
    patience: float
    """Seconds that a chord may take."""

    def timed(self, hosts: int) -> float:
        """Return the seconds that a chord of so many messages takes, from its publishing to its body's result."""
        began = time.perf_counter()
        members = [self.app.signature(chord_app.host.name, (number,)) for number in range(hosts)]
        result = chord(members, app=self.app)(self.app.signature(chord_app.done.name))
        # To pass on errors Celery would look at each of the messages again and again while it waits.
        count = result.get(timeout=self.patience, propagate=False)
        if count != hosts:
            raise RuntimeError(f"a chord of {hosts} came back with {count}")
        return time.perf_counter() - began


@contextmanager
def running(directory: Path, *, workers: int = 1, patience: float = 300.0) -> Iterator[Chords]:
    """Start a store and workers.

    Args:
        directory: where everything goes; emptied first.
        workers: how many worker processes run.
        patience: seconds that a chord may take.
    """
    shutil.rmtree(directory, ignore_errors=True)
    with Supervisor(directory / "logs") as supervisor:
        url, _ = start_store(supervisor, directory)
        backend = f"{url.rpartition('/')[0]}/1"
        environment = {**os.environ, chord_app.BROKER: url, chord_app.BACKEND: backend}
        pool = ["--pool=threads", f"--concurrency={_THREADS}"]
        command = [sys.executable, "-m", "celery", "-A", "bench.chord_app", "worker", *pool]
        for number in range(workers):
            name = f"worker-{number + 1}"
            child = supervisor.start(name, [*command, f"--hostname={name}@bench"], environment)
            until(partial(child.said, _STARTED), _UP, f"{name} is ready")
        app = Celery("bench", broker=url, backend=backend, set_as_current=False)
        try:
            yield Chords(app, patience)
        finally:
            results: Any = app.backend
            results.result_consumer.stop()
            results.client.close()
            app.close()
