"""The contract of the record, run against a simulated Redis."""

from collections.abc import AsyncIterator

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from tests.support.scenario import Record
from tests.support.store_contract import StoreContract


class TestRedisStore(StoreContract):
    @pytest.fixture
    async def record(self) -> AsyncIterator[Record]:
        server = FakeServer()
        record = Record(lambda: FakeAsyncRedis(server=server, decode_responses=True))
        yield record
        await record.aclose()
