"""A worker in the test's own process that does the errands of an API in the test's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.work import make_work
from workers.errands import run_errand

if TYPE_CHECKING:
    from tests.support.api import Api
    from workers.executor.base import Executor


async def employ(api: Api, executor: Executor) -> None:
    """Have an API's errands done, on the hosts that an executor reaches."""
    work = await make_work(api.store, executor)

    async def worker(errand_id: str) -> None:
        await run_errand(work, errand_id)

    api.dispatcher.worker = worker
