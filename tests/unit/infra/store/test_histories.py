"""Random histories of the record, played against a simulated Redis."""

import asyncio

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings

from tests.support.histories import BEGINNINGS, Action, histories, play
from tests.support.property_tests import scale_examples
from tests.support.scenario import Record


@pytest.mark.parametrize("beginning", BEGINNINGS)
@settings(max_examples=scale_examples(40))
@given(script=histories)
def test_no_history_makes_an_illegal_move_or_a_false_answer(beginning: str, script: list[Action]) -> None:
    server = FakeServer()
    record = Record(lambda: FakeAsyncRedis(server=server, decode_responses=True))
    asyncio.run(play(BEGINNINGS[beginning], script, record))
