"""Failpoints: places where a process can be told to kill itself, for tests of what it leaves behind.

The store is the truth and messages are hints, so ocpfleet recovers from a crash between the two. Failpoints mark
where a crash would hurt most. `OCPFLEET_FAILPOINT` names one, and the process kills itself when it first gets there.
Without the setting, as always outside of tests, a failpoint does nothing.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class ApiFailpoint(StrEnum):
    """A failpoint of an API process."""

    STORED = "stored"
    """A task or its change is stored; the client has no reply yet."""
    REPLIED = "replied"
    """The client has its reply; nothing is published yet."""


class WorkerFailpoint(StrEnum):
    """A failpoint of a worker process."""

    CLAIMED = "claimed"
    """A host is claimed; the worker has not connected to it yet."""
    STEP_RECORDED = "step-recorded"
    """A step that works on the store alone has opened the next one, which is not published yet."""
    LANE_RECORDED = "lane-recorded"
    """A lane has recorded the last host of its step. That opened the next step, which is not published yet."""


Failpoint = ApiFailpoint | WorkerFailpoint
FailpointHook = Callable[[Failpoint], None]
"""What a process calls at each failpoint."""


def ignore_failpoint(_: Failpoint) -> None:
    """Do nothing, as at every failpoint of a process without the setting."""


def make_failpoint_hook(chosen: Failpoint | None) -> FailpointHook:
    """Return what a process calls at each failpoint. It kills the process at the chosen one."""
    if chosen is None:
        return ignore_failpoint
    log.warning("this process is told to kill itself, for a test", failpoint=chosen.value)

    def kill_at_chosen(place: Failpoint) -> None:
        if place is chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill_at_chosen
