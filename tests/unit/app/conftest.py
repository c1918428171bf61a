"""The API that the tests of this folder talk to."""

from collections.abc import AsyncIterator

import pytest

from tests.support.api import Api, entry, running_api


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running_api() as running:
        await running.store.hosts.put([entry(2), entry(1001), entry(1002)], 1_600_000_000_000)
        yield running
