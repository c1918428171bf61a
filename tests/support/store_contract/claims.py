"""Workers claim subtasks."""

from dataclasses import replace

from core.claim import Claim, ClaimVerdict
from core.status import Operation, Status
from infra.store.base import ClaimRequest, Course
from tests.support.keepers import Keeper
from tests.support.records import (
    FIRST,
    FIRST_WAIT,
    NOW,
    PREPARE,
    SECOND,
    STOP,
    advance,
    claim_step,
    draft,
    entry,
    failed,
    head,
    pass_step,
    settle,
    succeeded,
)


class Claiming:
    async def test_a_claim_says_what_to_do_and_how_to_reach_the_host(self, keeper: Keeper) -> None:
        store = keeper.open()
        known = entry(2**63 - 1, key="ssh-ed25519 AAAA")
        await store.hosts.put([known], NOW)
        task = await store.tasks.create(draft((2**63 - 1, 8)))
        _, claims = await advance(store, task, PREPARE, claim=5)
        common = Claim(task.id, 0, Operation.EXECUTE, 1, 1, 2**63 - 1, known.target, held=False)
        assert claims.granted == (common, replace(common, series_id=1, token=2, host_id=8, target=None))

    async def test_a_claimed_subtask_runs_under_its_token(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        _, claims = await advance(store, task, PREPARE, claim=2, worker=SECOND, now=NOW + 1500)
        stored = await store.tasks.subtasks(task)
        assert stored.keys() == {0, 1}
        record = stored[1]
        assert (record.status, record.operation, record.run_time) == (Status.RUNNING, Operation.EXECUTE, 1)
        assert (record.executor, record.started, record.finished) == (SECOND.name, NOW + 1500, None)
        assert record.token == claims.granted[1].token
        assert await store.tasks.stands(claims.granted[1])
        assert not await store.tasks.stands(replace(claims.granted[1], token=99))
        assert not await store.tasks.stands(replace(claims.granted[1], series_id=2))
        assert not await store.tasks.stands(replace(claims.granted[1], task_id=99))

    async def test_claims_go_in_plan_order_up_to_the_limit_until_none_is_left(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft(range(1, 301)))
        got: list[list[int]] = []
        for _ in range(4):
            _, claims = await advance(store, task, PREPARE, claim=120)
            assert claims.verdict is ClaimVerdict.GRANTED
            got.append([claim.series_id for claim in claims.granted])
            assert [claim.host_id for claim in claims.granted] == [one + 1 for one in got[-1]]
        assert got == [[*range(120)], [*range(120, 240)], [*range(240, 300)], []]

    async def test_a_limit_of_nothing_claims_nothing(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        _, claims = await advance(store, task, PREPARE, claim=0)
        assert (claims.verdict, claims.granted) == (ClaimVerdict.GRANTED, ())
        assert len(await keeper.events(task.id)) == 1, "nothing changed, so nothing is noted"

    async def test_a_step_that_is_not_open_is_claimed_too_early(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        _, claims = await advance(store, task, STOP, claim=5)
        assert (claims.verdict, claims.granted) == (ClaimVerdict.EARLY, ())
        assert await store.tasks.subtasks(task) == {}

    async def test_a_record_of_a_newer_version_is_left_alone(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        await keeper.make_newer(task.id)
        _, claims = await advance(store, task, PREPARE, claim=5)
        assert (claims.verdict, claims.granted) == (ClaimVerdict.NEWER, ())
        assert await store.tasks.subtasks(task) == {}

    async def test_a_wait_node_has_no_host(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        await pass_step(store, task, PREPARE)
        (claim,) = await claim_step(store, task, FIRST_WAIT)
        assert (claim.series_id, claim.host_id, claim.target, claim.held) == (3, None, None, False)

    async def test_a_whole_step_is_claimed_by_one_message_only(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft(range(1, 8)))
        _, mine = await advance(store, task, PREPARE, claim=ClaimRequest(3, whole=True))
        own = mine.granted[0].token
        _, theirs = await advance(store, task, PREPARE, claim=ClaimRequest(3, whole=True), worker=SECOND)
        assert (theirs.verdict, theirs.granted) == (ClaimVerdict.BUSY, ())
        _, rest = await advance(store, task, PREPARE, claim=ClaimRequest(5, whole=True, own=own))
        assert [claim.series_id for claim in rest.granted] == [3, 4, 5, 6]
        _, none = await advance(store, task, PREPARE, claim=ClaimRequest(5, whole=True, own=own))
        assert (none.verdict, none.granted) == (ClaimVerdict.GRANTED, ())

    async def test_a_whole_step_that_nobody_works_on_can_be_taken_over(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft(range(1, 8)))
        _, former = await advance(store, task, PREPARE, claim=ClaimRequest(3, whole=True))
        await settle(store, task, PREPARE, succeeded(former.granted))
        _, mine = await advance(store, task, PREPARE, claim=ClaimRequest(1, whole=True), worker=SECOND)
        assert [claim.series_id for claim in mine.granted] == [3]
        await settle(store, task, PREPARE, succeeded(mine.granted))
        late = ClaimRequest(3, whole=True, own=former.granted[0].token)
        _, theirs = await advance(store, task, PREPARE, claim=late)
        assert theirs.verdict is ClaimVerdict.BUSY, "whoever was overtaken does not go on beside the other"
        go_on = ClaimRequest(3, whole=True, own=mine.granted[0].token)
        _, mine = await advance(store, task, PREPARE, claim=go_on, worker=SECOND)
        assert [claim.series_id for claim in mine.granted] == [4, 5, 6]

    async def test_what_became_ready_again_is_claimed_first_and_by_a_new_token(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft(range(1, 301)))
        _, before = await advance(store, task, PREPARE, claim=200, now=NOW + 10)
        await settle(store, task, PREPARE, failed(before.granted), now=NOW + 20)
        for series_id in (150, 3, 9):
            await store.tasks.change_course(task, Course.RETRY, NOW, series_id)
        _, claims = await advance(store, task, PREPARE, claim=5, worker=SECOND, now=NOW + 30)
        assert [claim.series_id for claim in claims.granted] == [3, 9, 150, 200, 201]
        assert [claim.host_id for claim in claims.granted] == [4, 10, 151, 201, 202]
        assert [claim.run_time for claim in claims.granted] == [2, 2, 2, 1, 1]
        assert [claim.operation for claim in claims.granted[:3]] == [Operation.RETRY] * 3
        assert {claim.token for claim in claims.granted}.isdisjoint({claim.token for claim in before.granted})
        record = (await store.tasks.subtasks(task))[9]
        assert (record.started, record.finished, record.executor) == (NOW + 10, None, SECOND.name)

    async def test_no_token_is_given_twice(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1, 2)))
        tokens: list[int] = []
        for step in range(len(task.plan.steps)):
            claims = await claim_step(store, task, step)
            tokens.extend(claim.token for claim in claims)
            await settle(store, task, step, succeeded(claims))
        assert tokens == [*range(1, task.plan.size + 1)]

    async def test_a_claim_knows_whether_its_task_holds_the_host(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put([entry(1)], NOW)
        task = await store.tasks.create(draft((1,)))
        await pass_step(store, task, PREPARE)
        await pass_step(store, task, FIRST_WAIT)
        (claim,) = await claim_step(store, task, STOP)
        assert not claim.held

    async def test_subtasks_name_the_worker_that_ran_them(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        for worker in (SECOND, FIRST, SECOND):
            await advance(store, task, PREPARE, claim=1, worker=worker)
        found = await store.tasks.subtasks(await head(store, task))
        assert [found[one].executor for one in range(3)] == [SECOND.name, FIRST.name, SECOND.name]
