"""Decides what to do about the pos proxy, a process that agents before 3.2 had and that OCP restarts with the agent."""

from core.host import Target
from core.outcome.base import Done
from core.outcome.start import ProxyRuns
from workers.agent.decision import Conclude, Decision, LookForProxy
from workers.agent.history import History
from workers.agent.timing import Timing


def decide_proxy(history: History, _target: Target, _timing: Timing, _now: float) -> Decision:
    """Return what to do next to see that the host has no pos proxy. One that runs is left alone: the run fails."""
    if history.snapshot is None:
        return LookForProxy()
    if history.snapshot.processes:
        return Conclude(ProxyRuns(history.snapshot.pids))
    return Conclude(Done("No pos proxy runs there, as with every agent from 3.2 on: there is nothing to restart."))
