"""Whatever is done to them, the record in memory and the record in Redis are the same, and say the same."""

import asyncio

from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings

from tests.support.histories import Action, histories, play
from tests.support.keepers import RedisKeeper


@settings(max_examples=100, deadline=None)
@given(histories)
def test_both_records_stay_the_same_whatever_happens_to_them(script: list[Action]) -> None:
    server = FakeServer()
    asyncio.run(play(script, RedisKeeper(lambda: FakeAsyncRedis(server=server, decode_responses=True))))
