"""The fleet's brake: nobody begins to claim while it is on."""

from core.brake import Brake
from core.claim import ClaimVerdict
from core.errand import Errand, ErrandKind
from infra.store.task_values import ClaimRequest
from tests.support.records import FIRST_WAIT, NOW, PREPARE, SECOND, STOP, make_successes
from tests.support.scenario import Record

BRAKE = Brake("admin", NOW, "smoke in room 3, Zürich")


class FleetBrake:
    async def test_the_brake_is_on_from_its_pulling_to_its_release(self, record: Record) -> None:
        assert await record.brake.get() is None
        assert await record.brake.pull(BRAKE) == BRAKE
        assert await record.brake.get() == BRAKE
        assert await record.brake.release() == BRAKE
        assert await record.brake.get() is None
        assert await record.brake.release() is None

    async def test_whoever_pulled_first_stays_the_one_who_did(self, record: Record) -> None:
        await record.brake.pull(BRAKE)
        assert await record.brake.pull(Brake("other", NOW + 5, "me too")) == BRAKE
        assert await record.brake.get() == BRAKE

    async def test_nothing_is_claimed_until_it_is_released(self, record: Record) -> None:
        task = await record.accept()
        await record.brake.pull(BRAKE)
        for whole in (False, True):
            claims = await task.ask(PREPARE, 5, whole=whole)
            assert (claims.verdict, claims.granted) == (ClaimVerdict.BRAKED, ())
        assert await task.subtasks() == {}
        assert len(await task.raw_events()) == 1, "nothing changed, so nothing is noted"
        await record.brake.release()
        assert [claim.series_id for claim in await task.claim(PREPARE)] == [0, 1, 2]

    async def test_what_runs_is_recorded_and_opens_the_next_step_of_which_nothing_is_claimed(
        self, record: Record
    ) -> None:
        task = await record.accept()
        claims = await task.claim(PREPARE)
        await record.brake.pull(BRAKE)
        settlement, more = await task.advance(PREPARE, make_successes(claims), ClaimRequest(4))
        assert (settlement.opened, more.verdict) == (FIRST_WAIT, ClaimVerdict.BRAKED)
        more = await task.ask(FIRST_WAIT, 1, whole=True)
        assert (more.verdict, more.granted) == (ClaimVerdict.BRAKED, ())
        assert (await task.head()).current_step == FIRST_WAIT

    async def test_a_whole_step_of_which_some_is_claimed_is_claimed_to_its_end(self, record: Record) -> None:
        task = await record.accept(range(1, 8))
        mine = await task.ask(PREPARE, 3, whole=True)
        await record.brake.pull(BRAKE)
        rest = await task.ask(PREPARE, 9, whole=True, own=mine.granted[0].token)
        assert [claim.series_id for claim in rest.granted] == [3, 4, 5, 6], "Prepare takes all its hosts or none"

    async def test_no_worker_takes_an_errand_that_changes_something(self, record: Record) -> None:
        look = Errand("e1", ErrandKind.LOOK, 7, None, "0123456789abcdef")
        stop = Errand("e2", ErrandKind.STOP, 7, "monagent", "0123456789abcdef")
        await record.brake.pull(BRAKE)
        for errand in (look, stop):
            await record.errands.put(errand, 60_000)
        claimed = await record.errands.claim(look.id)
        assert claimed is not None
        assert claimed.errand == look
        assert await record.errands.claim(stop.id) is None
        assert await record.errands.withdraw(stop.id), "it stays until it lapses, so that its lease can be given back"

    async def test_other_reasons_to_refuse_come_first(self, record: Record) -> None:
        task, ended = await record.accept(), await record.accept()
        await ended.pass_step(PREPARE)
        await ended.cancel()
        await record.brake.pull(BRAKE)
        assert (await task.ask(STOP, 1, worker=SECOND)).verdict is ClaimVerdict.EARLY
        assert (await ended.ask(PREPARE, 1)).verdict is ClaimVerdict.CLOSED
        assert (await task.ask(PREPARE, 0)).verdict is ClaimVerdict.GRANTED
