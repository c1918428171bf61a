"""What a worker process works with, in one value: tests make their own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from infra.failpoint import FailpointHook, ignore_failpoint
from infra.store import Store
from workers.agent.timing import Timing
from workers.executor.base import Executor
from workers.executor.slots import Slots
from workers.record.heartbeat import Heartbeat
from workers.record.open_logs import OpenLogs
from workers.record.recorder import Recorder


@dataclass(frozen=True)
class WorkerContext:
    """The worker process, as its steps and lanes see it."""

    store: Store
    """The record."""
    executor: Executor
    """The way to the hosts."""
    heartbeat: Heartbeat
    """This process in the record."""
    slots: Slots
    """The places for hosts in flight."""
    clock: Callable[[], int]
    """Milliseconds since the epoch."""
    timing: Timing = field(default_factory=Timing)
    """How long the work on a host waits, and how far it may go."""
    max_lanes: int = 32
    """Lanes of one step, at most."""
    lane_window: int = 128
    """Hosts that one lane works on at a time, at most."""
    host_time_limit: float | None = None
    """Seconds that one host may take where that is less than the plan's limit."""
    is_draining: Callable[[], bool] = lambda: False
    """Whether the process is about to stop: lanes then finish the hosts that they have and claim no more."""
    reach_failpoint: FailpointHook = ignore_failpoint
    """Called where a crash would hurt most; tests have the process die there."""

    @cached_property
    def recorder(self) -> Recorder:
        """The one writer of results."""
        return Recorder(self.store, self.heartbeat, self.clock)

    @cached_property
    def open_logs(self) -> OpenLogs:
        """The logs of runs that go on."""
        return OpenLogs(self.store, self.heartbeat)
