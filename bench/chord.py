"""Runs plain Celery chords, on a Valkey and worker processes set up like ours."""

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
from bench.waiting import wait_until
from demo.supervisor import Supervisor

_STARTED = "[queues]"
"""A line in the log of a worker that has started. The first chord shows that it also takes messages."""
_UP = 30.0
"""Seconds until a worker must have started."""
_THREADS = 128
"""Messages that a worker handles at a time, as with our workers."""


@dataclass(frozen=True, slots=True)
class Chords:
    """A running Celery."""

    app: Celery
    patience: float
    """Seconds that a chord may take."""

    def time_chord(self, hosts: int) -> float:
        """Return the seconds from publishing a chord to the result of its body.

        Args:
            hosts: the number of messages in the chord.
        """
        began = time.perf_counter()
        members = [self.app.signature(chord_app.work_on_host.name, (number,)) for number in range(hosts)]
        result = chord(members, app=self.app)(self.app.signature(chord_app.join.name))
        # With `propagate`, Celery would poll each of the messages while it waits.
        count = result.get(timeout=self.patience, propagate=False)
        if count != hosts:
            raise RuntimeError(f"a chord of {hosts} came back with {count}")
        return time.perf_counter() - began


@contextmanager
def run_chords(directory: Path, *, workers: int = 1, patience: float = 300.0) -> Iterator[Chords]:
    """Start a store and workers, and stop them at the end.

    Args:
        directory: the directory for all files; it is emptied first.
        workers: the number of worker processes.
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
            wait_until(partial(child.has_said, _STARTED), _UP, f"{name} is ready")
        app = Celery("bench", broker=url, backend=backend, set_as_current=False)
        try:
            yield Chords(app, patience)
        finally:
            results: Any = app.backend
            results.result_consumer.stop()
            results.client.close()
            app.close()
