"""The fleet's brake: nobody begins to claim while it is on."""

from core.brake import Brake
from core.claim import ClaimVerdict
from core.errand import Errand, ErrandKind
from infra.store.base import ClaimRequest
from tests.support.keepers import Keeper
from tests.support.records import (
    FIRST_WAIT,
    NOW,
    PREPARE,
    SECOND,
    STOP,
    advance,
    claim_step,
    draft,
    head,
    pass_step,
    succeeded,
)

BRAKE = Brake("admin", NOW, "smoke in room 3, Zürich")


class FleetBrake:
    async def test_the_brake_is_on_from_its_pulling_to_its_release(self, keeper: Keeper) -> None:
        store = keeper.open()
        assert await store.brake.get() is None
        assert await store.brake.pull(BRAKE) == BRAKE
        assert await store.brake.get() == BRAKE
        assert await store.brake.release() == BRAKE
        assert await store.brake.get() is None
        assert await store.brake.release() is None

    async def test_whoever_pulled_first_stays_the_one_who_did(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.brake.pull(BRAKE)
        assert await store.brake.pull(Brake("other", NOW + 5, "me too")) == BRAKE
        assert await store.brake.get() == BRAKE

    async def test_nothing_is_claimed_until_it_is_released(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        await store.brake.pull(BRAKE)
        for request in (ClaimRequest(5), ClaimRequest(5, whole=True)):
            _, claims = await advance(store, task, PREPARE, claim=request)
            assert (claims.verdict, claims.granted) == (ClaimVerdict.BRAKED, ())
        assert await store.tasks.subtasks(task) == {}
        assert len(await keeper.events(task.id)) == 1, "nothing changed, so nothing is noted"
        await store.brake.release()
        assert [claim.series_id for claim in await claim_step(store, task, PREPARE)] == [0, 1, 2]

    async def test_what_runs_is_recorded_and_opens_the_next_step_of_which_nothing_is_claimed(
        self, keeper: Keeper
    ) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        claims = await claim_step(store, task, PREPARE)
        await store.brake.pull(BRAKE)
        settlement, more = await advance(store, task, PREPARE, succeeded(claims), claim=4)
        assert (settlement.opened, more.verdict) == (FIRST_WAIT, ClaimVerdict.BRAKED)
        _, more = await advance(store, task, FIRST_WAIT, claim=ClaimRequest(1, whole=True))
        assert (more.verdict, more.granted) == (ClaimVerdict.BRAKED, ())
        assert (await head(store, task)).current == FIRST_WAIT

    async def test_a_whole_step_of_which_some_is_claimed_is_claimed_to_its_end(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft(range(1, 8)))
        _, mine = await advance(store, task, PREPARE, claim=ClaimRequest(3, whole=True))
        await store.brake.pull(BRAKE)
        own = mine.granted[0].token
        _, rest = await advance(store, task, PREPARE, claim=ClaimRequest(9, whole=True, own=own))
        assert [claim.series_id for claim in rest.granted] == [3, 4, 5, 6], "Prepare takes all its hosts or none"

    async def test_no_worker_takes_an_errand_that_changes_something(self, keeper: Keeper) -> None:
        store = keeper.open()
        look = Errand("e1", ErrandKind.LOOK, 7, None, "0123456789abcdef")
        stop = Errand("e2", ErrandKind.STOP, 7, "monagent", "0123456789abcdef")
        await store.brake.pull(BRAKE)
        for errand in (look, stop):
            await store.errands.put(errand, 60_000)
        claimed = await store.errands.claim(look.id)
        assert claimed is not None
        assert claimed.errand == look
        assert await store.errands.claim(stop.id) is None
        assert await store.errands.withdraw(stop.id), "it is there until it lapses, so that its lease can be given back"

    async def test_other_reasons_to_refuse_come_first(self, keeper: Keeper) -> None:
        store = keeper.open()
        task, ended = await store.tasks.create(draft()), await store.tasks.create(draft())
        await pass_step(store, ended, PREPARE)
        await store.tasks.cancel(ended, NOW)
        await store.brake.pull(BRAKE)
        assert (await advance(store, task, STOP, claim=1, worker=SECOND))[1].verdict is ClaimVerdict.EARLY
        assert (await advance(store, ended, PREPARE, claim=1))[1].verdict is ClaimVerdict.CLOSED
        assert (await advance(store, task, PREPARE, claim=0))[1].verdict is ClaimVerdict.GRANTED
