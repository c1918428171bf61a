"""Which decider does the work of each action that works on hosts."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from core.host import Target
from core.step import Action
from workers.agent.decide.find import decide_find
from workers.agent.decide.proxy import decide_proxy
from workers.agent.decide.start import decide_start
from workers.agent.decide.stop import decide_stop
from workers.agent.decision import Decision
from workers.agent.history import History
from workers.agent.timing import Timing

Decide: TypeAlias = Callable[[History, Target, Timing, float], Decision]
"""Says what to do next on a host, from what has happened there and the seconds since the run began."""

DECIDERS: Final[Mapping[Action, Decide]] = MappingProxyType(
    {
        Action.STOP_AGENT: decide_stop,
        Action.START_AGENT: decide_start,
        Action.RESTART_PROXY: decide_proxy,
        Action.FIND_AGENT: decide_find,
    }
)
"""By action. The actions that only touch the record have none."""
