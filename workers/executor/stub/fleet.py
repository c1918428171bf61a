"""The stub hosts: which processes live on them, and which commands they got.

A host costs a few bytes of memory and no time, so that what is measured with stub hosts is everything else.
"""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from workers.executor.stub.behaviour import Behaviour

PROXY: Final = "pos_proxy"
NAMES: Final = ("agentd", "mgragent", "monagent")


@dataclass(slots=True)
class StubHost:
    """What is remembered of one host."""

    alive: dict[int, str]
    """Its live agent processes: pid and name without the prefix."""
    commands: Counter[str] = field(default_factory=Counter)
    """How often it got each kind of command."""


class StubFleet:
    """Hosts that do not exist.

    Args:
        delay_seconds: how long the agent's own stop or start takes; other commands take no time.
        behaviours: by host id; the others are healthy.
        refusal: the error text of a host that refuses.
        wedged_every: hosts without a given behaviour are wedged where their id is a multiple of it; 0 for none.
    """

    def __init__(
        self,
        delay_seconds: float = 0.0,
        behaviours: Mapping[int, Behaviour] | None = None,
        refusal: str = "Module=agent, kind=INTERNAL, code=fetch_config_failed; no such file or directory",
        wedged_every: int = 0,
    ) -> None:
        self.delay_seconds = delay_seconds
        self.behaviours = dict(behaviours or {})
        self.refusal = refusal
        self._wedged_every = wedged_every
        self._hosts: dict[int, StubHost] = {}
        self._pids = itertools.count(1000)

    def get_behaviour(self, host_id: int) -> Behaviour:
        """Return how a host takes its commands."""
        wedged = self._wedged_every and host_id % self._wedged_every == 0
        return self.behaviours.get(host_id, Behaviour.WEDGED if wedged else Behaviour.HEALTHY)

    def get_host(self, host_id: int) -> StubHost:
        """Return a host; its agent runs as its behaviour says when it is first asked for."""
        host = self._hosts.get(host_id)
        if host is None:
            host = self._hosts[host_id] = StubHost(self.make_processes(self._choose_names(host_id)))
        return host

    def count_commands(self, host_id: int) -> Counter[str]:
        """Return how often a host got each command.

        They are `look`, `survey`, `signal`, `stop`, `start`, `status`, `version`, `service stop`, `service start`, and
        `other`.
        """
        host = self._hosts.get(host_id)
        return host.commands if host else Counter()

    def list_pids(self, host_id: int) -> tuple[int, ...]:
        """Return the pids of a host's live agent processes; none where nobody ever connected to it."""
        host = self._hosts.get(host_id)
        return tuple(host.alive) if host else ()

    def start_agent(self, host_id: int, names: tuple[str, ...] = NAMES) -> None:
        """Make a host's agent run, whatever it did before: exactly these of its processes, without the prefix."""
        self.get_host(host_id).alive = self.make_processes(names)

    def make_processes(self, names: tuple[str, ...]) -> dict[int, str]:
        """Return new processes by pid."""
        return {next(self._pids): name for name in names}

    def _choose_names(self, host_id: int) -> tuple[str, ...]:
        match self.get_behaviour(host_id):
            case Behaviour.STOPPED | Behaviour.BARE:
                return ()
            case Behaviour.ORPHANS:
                return NAMES[1:]
            case Behaviour.LAME:
                return NAMES[:-1]
            case Behaviour.PROXIED:
                return (*NAMES, PROXY)
            case _:
                return NAMES
