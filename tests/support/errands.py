"""A worker in the test's process that does the errands of an API in the same process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.work import make_work
from workers.errands import run_errand

if TYPE_CHECKING:
    from tests.support.api import Api
    from workers.executor.base import Executor


async def attach_worker(api: Api, executor: Executor) -> None:
    """Let a worker do the API's errands on the hosts that the executor reaches."""
    work = await make_work(api.store, executor)

    async def worker(errand_id: str) -> None:
        await run_errand(work, errand_id)

    api.dispatcher.worker = worker
