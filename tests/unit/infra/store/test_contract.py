"""The contract of the record, held by the twin in memory and by Redis's scripts in a simulated Redis."""

from collections.abc import AsyncIterator

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from tests.support.keepers import MemoryKeeper, RedisKeeper
from tests.support.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def keeper(self) -> MemoryKeeper:
        return MemoryKeeper()


class TestRedisStore(StoreContract):
    @pytest.fixture
    async def keeper(self) -> AsyncIterator[RedisKeeper]:
        server = FakeServer()
        keeper = RedisKeeper(lambda: FakeAsyncRedis(server=server, decode_responses=True))
        yield keeper
        await keeper.aclose()
