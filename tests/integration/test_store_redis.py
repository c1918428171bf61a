"""The contract of the record and random histories of it, run against a real server."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given, settings
from redis.asyncio import Redis

from tests.support.histories import BEGINNINGS, Action, histories, play
from tests.support.property_tests import scale_examples
from tests.support.scenario import Record
from tests.support.store_contract import StoreContract
from tests.support.store_contract.errands import FOUND
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
async def record(server: ValkeyServer) -> AsyncIterator[Record]:
    record = Record(lambda: Redis.from_url(server.url(), decode_responses=True))
    await record.client.flushall()
    yield record
    await record.aclose()


class TestRedisStoreOnARealServer(StoreContract):
    """The whole contract."""

    async def test_a_wait_that_is_given_up_takes_no_answer(self, record: Record) -> None:
        async def has_begun() -> bool:
            return int((await record.client.info("clients"))["blocked_clients"]) > 0

        waiting = asyncio.create_task(record.errands.wait("e1", 30))
        await eventually(has_begun, 10, "the wait has begun")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await record.errands.answer("e1", FOUND)
        assert await record.errands.wait("e1", 5) == FOUND


@pytest.mark.parametrize("beginning", BEGINNINGS)
@settings(max_examples=scale_examples(40))
@given(script=histories)
def test_no_history_makes_an_illegal_move_or_a_false_answer(
    server: ValkeyServer, beginning: str, script: list[Action]
) -> None:
    async def play_on_an_empty_server() -> None:
        record = Record(lambda: Redis.from_url(server.url(), decode_responses=True))
        await record.client.flushall()
        await play(BEGINNINGS[beginning], script, record)

    asyncio.run(play_on_an_empty_server())
