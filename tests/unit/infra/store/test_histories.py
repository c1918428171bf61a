"""Random histories of the record, played against a simulated Redis."""

import asyncio

from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings

from tests.support.histories import Action, histories, play
from tests.support.scenario import Record


@settings(max_examples=100, deadline=None)
@given(histories)
def test_no_history_leads_to_an_illegal_move_or_to_a_record_that_contradicts_itself(script: list[Action]) -> None:
    server = FakeServer()
    asyncio.run(play(script, Record(lambda: FakeAsyncRedis(server=server, decode_responses=True))))
