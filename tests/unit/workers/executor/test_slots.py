"""Places for hosts are given in order, and none is lost."""

from __future__ import annotations

import asyncio

import pytest

from workers.executor.slots import Slots


async def test_places_are_given_in_order_of_arrival() -> None:
    slots = Slots(1)
    assert slots.take(5) == 1
    got: list[int] = []

    async def wait(number: int) -> None:
        await slots.take_one()
        got.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    for _ in waiting:
        slots.release(1)
        await asyncio.sleep(0)
        assert slots.take(1) == 0 or got == [0, 1, 2]
    await asyncio.gather(*waiting)
    assert got == [0, 1, 2]


async def test_a_cancelled_wait_loses_no_place() -> None:
    slots = Slots(1)
    slots.take(1)
    waiting = asyncio.create_task(slots.take_one())
    await asyncio.sleep(0)
    slots.release(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slots.take(1) == 1
