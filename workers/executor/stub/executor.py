"""Connections to hosts that do not exist: for unit tests, load tests and benchmarks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.host import Target
from core.outcome.reach import Unreachable
from workers.executor.base import HostConnectionError
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.fleet import StubFleet
from workers.executor.stub.session import StubSession


class StubExecutor(StubFleet):
    """Connections to stub hosts; see `workers.executor.base.Executor`."""

    @asynccontextmanager
    async def connect(self, target: Target) -> AsyncIterator[StubSession]:
        """Open a connection; see `workers.executor.base.Executor.connect`."""
        if self.get_behaviour(target.host_id) is Behaviour.UNREACHABLE:
            raise HostConnectionError(Unreachable(target.endpoint, "Connection refused"))
        yield StubSession(self, target)

    async def aclose(self) -> None:
        """Do nothing: the stub holds nothing open."""
