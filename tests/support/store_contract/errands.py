"""Errands: what a worker does while a client waits."""

import asyncio

from core.agent import AgentInspection, InspectedProcess
from core.errand import ClaimedErrand, Errand, ErrandFailed, ErrandKind
from tests.support.scenario import Record

LOOK = Errand("e1", ErrandKind.LOOK, 2**63 - 1, None, "0123456789abcdef")
STOP = Errand("e2", ErrandKind.STOP, 7, "monagent", "0123456789abcdef")
FOUND = AgentInspection(
    installed=True,
    version="4.2.2",
    processes=(
        InspectedProcess("agentd", 10, "admin", "/bin/ocp_agentd -c ä", (), 5),
        InspectedProcess("mgragent", 11, None, None, (62888, 1), 4),
        InspectedProcess("monagent"),
    ),
)


class Errands:
    async def test_one_worker_gets_it_and_knows_how_long_somebody_waits(self, record: Record) -> None:
        await record.errands.put(LOOK, 60_000)
        await record.errands.put(STOP, 60_000)
        claims = await asyncio.gather(*(record.errands.claim(LOOK.id) for _ in range(5)))
        (claimed,) = (claim for claim in claims if claim)
        assert claimed == ClaimedErrand(LOOK, claimed.left)
        assert 0 < claimed.left <= 60_000
        again = await record.errands.claim(STOP.id)
        assert again is not None
        assert again.errand == STOP
        assert await record.errands.claim("e3") is None

    async def test_one_that_nobody_waits_for_any_more(self, record: Record) -> None:
        await record.errands.put(LOOK, 1)
        await record.errands.put(STOP, 60_000)
        await asyncio.sleep(0.01)
        assert await record.errands.claim(LOOK.id) is None
        assert await record.errands.withdraw(STOP.id)
        assert await record.errands.claim(STOP.id) is None
        assert not await record.errands.withdraw(STOP.id)

    async def test_a_claimed_one_cannot_be_withdrawn(self, record: Record) -> None:
        await record.errands.put(LOOK, 60_000)
        await record.errands.claim(LOOK.id)
        assert not await record.errands.withdraw(LOOK.id)

    async def test_who_waits_gets_the_answer_as_soon_as_it_comes(self, record: Record) -> None:
        waiting = [asyncio.create_task(record.errands.wait(one, 30)) for one in ("e1", "e2")]
        await record.errands.answer("e1", FOUND)
        assert await waiting[0] == FOUND
        assert not waiting[1].done()
        failed = ErrandFailed("Unreachable: …", refused=True)
        await record.errands.answer("e2", failed)
        assert await waiting[1] == failed

    async def test_an_answer_that_came_before_anybody_waited(self, record: Record) -> None:
        await record.errands.answer("e1", FOUND)
        assert await record.errands.wait("e1", 30) == FOUND

    async def test_no_answer(self, record: Record) -> None:
        assert await record.errands.wait("e1", 0.05) is None
