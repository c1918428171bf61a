"""Working on one service of an agent over an open connection; the agent itself stays as it is.

`decide_service` says what to do; `run` does it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from core.host import Target
from core.journal import Journal
from core.outcome.base import Outcome
from workers.agent.decide.service import decide_start_service, decide_stop_service
from workers.agent.host.commands import service_command
from workers.agent.run import Run
from workers.agent.timing import ServicePolicy
from workers.executor.base import Session


@dataclass(frozen=True, slots=True)
class ServiceWork:
    """One service on one host, and how to work there.

    The arguments are those of `workers.agent.stop.stop_agent`.
    """

    session: Session
    target: Target
    service: str
    """Without the prefix."""
    policy: ServicePolicy
    journal: Journal
    stands: Callable[[], Awaitable[None]]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic

    async def stop(self) -> Outcome:
        """Stop the service and prove it: no process of it is left, and agentd has given it up."""
        name = self._name
        return await self._run().through(
            lambda story, now: decide_stop_service(story, name, self.target, self.policy, now)
        )

    async def restart(self) -> Outcome:
        """Stop the service where it runs, then start it and prove it: agentd names its process, and a look finds it."""
        stopped = await self.stop()
        return await self._start() if stopped.successful else stopped

    async def _start(self) -> Outcome:
        name = self._name
        return await self._run().through(
            lambda story, now: decide_start_service(story, name, self.target, self.policy, now)
        )

    @property
    def _name(self) -> str:
        return f"{self.target.agent_prefix}_{self.service}"

    def _run(self) -> Run:
        run = Run(
            self.session, self.target, self.policy.commands, self.journal, self.stands, self.sleep, self.monotonic
        )
        return replace(run, control=partial(service_command, self.service))
