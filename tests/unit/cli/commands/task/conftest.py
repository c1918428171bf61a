"""A task that failed on one of its hosts, with a worker that works on simulated hosts."""

import asyncio
from collections.abc import Callable

import pytest
from fastapi import FastAPI

from tests.support.api import KEY, entry
from tests.support.cli import Command
from tests.support.fake_store import FakeStore
from tests.support.work import make_work, run_all_steps
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor


@pytest.fixture(autouse=True)
def _hosts(app: FastAPI, store: FakeStore) -> None:
    assert isinstance(app, FastAPI)
    asyncio.run(store.hosts.put([*(entry(10 + number, f"web-{number}", KEY) for number in range(1, 6)), entry(7)], 0))


@pytest.fixture
def executor() -> StubExecutor:
    """Reaches web-2 not at all."""
    return StubExecutor(behaviours={12: Behaviour.UNREACHABLE})


@pytest.fixture
def work(store: FakeStore, executor: StubExecutor) -> Callable[..., None]:
    """Let a worker handle all messages of a task."""

    def run(task_id: int = 1) -> None:
        async def through() -> None:
            head = await store.tasks.head(task_id)
            assert head is not None
            await run_all_steps(await make_work(store, executor), head)

        asyncio.run(through())

    return run


@pytest.fixture
def failed(command: Command, work: Callable[..., None]) -> str:
    """Stop five hosts of which one cannot be reached, and return what the log says of it."""
    assert command("stop", "web-[1-5]")[0] == 0
    work()
    return "Unreachable: 10.0.0.12:22: Connection refused"
