"""Finds the workers that are lost: their counters have not moved for a while, in watched seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.claim import Worker
from infra.store.values import LOST


@dataclass(slots=True)
class _Pulse:
    """A worker's counter, and since when, in watched seconds, it has not moved."""

    counter: int
    since: float


@dataclass(slots=True)
class LostWorkers:
    """What one reconciler has seen of the counters of all workers."""

    _pulses: dict[int, _Pulse] = field(default_factory=dict)

    def find(self, beats: Mapping[Worker, int], now: float, *, lost_after: float, own: Worker) -> dict[Worker, int]:
        """Return the workers that have not beaten for too long, with their counters.

        Args:
            beats: each worker's counter, as it was read just now.
            now: the time, in watched seconds.
            lost_after: watched seconds without a beat until a worker is lost.
            own: this process, which is never lost to itself.
        """
        known = {worker.id for worker in beats}
        self._pulses = {number: pulse for number, pulse in self._pulses.items() if number in known}
        lost: dict[Worker, int] = {}
        for worker, counter in beats.items():
            if counter == LOST:  # another reconciler called it lost and did not come to the end of it
                lost[worker] = counter
                continue
            pulse = self._pulses.get(worker.id)
            if pulse is None or pulse.counter != counter:
                self._pulses[worker.id] = _Pulse(counter, now)
            elif now - pulse.since >= lost_after and worker != own:
                lost[worker] = counter
        return lost
