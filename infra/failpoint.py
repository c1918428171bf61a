"""Places at which a process can be told to end itself, for tests of what is left behind there.

What is stored is true and messages are hints, so a crash in between is made good; these are the gaps in which one would
hurt most. `OCPFLEET_FAILPOINT` names a place: the process kills itself when it first passes there. Without it, as it is
ever outside of tests, a place does nothing.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class ApiFailpoint(StrEnum):
    """A place in an API process."""

    STORED = "stored"
    """A task, or the change of one, is stored; the client has no reply."""
    REPLIED = "replied"
    """The client has its reply; nothing is published."""


class WorkerFailpoint(StrEnum):
    """A place in a worker process."""

    CLAIMED = "claimed"
    """A host is claimed; nobody has connected to it."""
    STEP_RECORDED = "step-recorded"
    """A step that works on the record alone has opened the next one, which is not published."""
    LANE_RECORDED = "lane-recorded"
    """A lane has recorded the last host of its step, which opened the next one; that is not published."""


Failpoint = ApiFailpoint | WorkerFailpoint
FailpointHook = Callable[[Failpoint], None]
"""Called at each place."""


def ignore_failpoint(_: Failpoint) -> None:
    """Pass a place of a process that is told nothing."""


def make_failpoint_hook(chosen: Failpoint | None) -> FailpointHook:
    """Return what a process calls at each place: it kills the process at the chosen one."""
    if chosen is None:
        return ignore_failpoint
    log.warning("this process is told to kill itself, for a test", failpoint=chosen.value)

    def maybe(place: Failpoint) -> None:
        if place is chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return maybe
