"""Workers claim subtasks."""

from dataclasses import replace

from core.claim import ClaimVerdict, HostClaim, WaitClaim, require_host_claims
from core.status import Operation, Status
from tests.support.records import FIRST, FIRST_WAIT, NOW, PREPARE, SECOND, STOP, entry
from tests.support.scenario import Record


class Claiming:
    async def test_a_claim_says_what_to_do_and_how_to_reach_the_host(self, record: Record) -> None:
        known = entry(2**63 - 1, key="ssh-ed25519 AAAA")
        await record.hosts.put([known], NOW)
        task = await record.accept((2**63 - 1, 8))
        claims = await task.claim(PREPARE, 5)
        common = HostClaim(task.id, 0, Operation.EXECUTE, 1, 1, 2**63 - 1, known.target, held=False)
        assert claims == (common, replace(common, series_id=1, token=2, host_id=8, target=None))

    async def test_a_claimed_subtask_runs_under_its_token(self, record: Record) -> None:
        task = await record.accept()
        _, claim = await task.claim(PREPARE, 2, worker=SECOND, at=NOW + 1500)
        stored = await task.subtasks()
        assert stored.keys() == {0, 1}
        one = stored[1]
        assert (one.status, one.operation, one.run_time) == (Status.RUNNING, Operation.EXECUTE, 1)
        assert (one.executor, one.started, one.finished) == (SECOND.name, NOW + 1500, None)
        assert one.token == claim.token
        assert await task.stands(claim)
        assert not await task.stands(replace(claim, token=99))
        assert not await task.stands(replace(claim, series_id=2))
        assert not await task.stands(replace(claim, task_id=99))

    async def test_claims_go_in_plan_order_up_to_the_limit_until_none_is_left(self, record: Record) -> None:
        task = await record.accept(range(1, 301))
        got: list[list[int]] = []
        for _ in range(4):
            claims = await task.ask(PREPARE, 120)
            assert claims.verdict is ClaimVerdict.GRANTED
            got.append([claim.series_id for claim in claims.granted])
            assert [claim.host_id for claim in require_host_claims(claims.granted)] == [one + 1 for one in got[-1]]
        assert got == [[*range(120)], [*range(120, 240)], [*range(240, 300)], []]

    async def test_a_limit_of_nothing_claims_nothing(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.ask(PREPARE, 0)
        assert (claims.verdict, claims.granted) == (ClaimVerdict.GRANTED, ())
        assert len(await task.raw_events()) == 1, "nothing changed, so nothing is noted"

    async def test_a_step_that_is_not_open_is_claimed_too_early(self, record: Record) -> None:
        task = await record.accept()
        claims = await task.ask(STOP, 5)
        assert (claims.verdict, claims.granted) == (ClaimVerdict.EARLY, ())
        assert await task.subtasks() == {}

    async def test_a_record_of_a_newer_version_is_left_alone(self, record: Record) -> None:
        task = await record.accept()
        await task.make_newer()
        claims = await task.ask(PREPARE, 5)
        assert (claims.verdict, claims.granted) == (ClaimVerdict.NEWER, ())
        assert await task.subtasks() == {}

    async def test_a_wait_node_has_no_host(self, record: Record) -> None:
        task = await record.accept()
        await task.pass_step(PREPARE)
        (claim,) = await task.claim(FIRST_WAIT)
        assert claim == WaitClaim(task.id, 3, Operation.EXECUTE, 1, claim.token)

    async def test_a_whole_step_is_claimed_by_one_message_only(self, record: Record) -> None:
        task = await record.accept(range(1, 8))
        mine = await task.ask(PREPARE, 3, whole=True)
        own = mine.granted[0].token
        theirs = await task.ask(PREPARE, 3, whole=True, worker=SECOND)
        assert (theirs.verdict, theirs.granted) == (ClaimVerdict.BUSY, ())
        rest = await task.ask(PREPARE, 5, whole=True, own=own)
        assert [claim.series_id for claim in rest.granted] == [3, 4, 5, 6]
        none = await task.ask(PREPARE, 5, whole=True, own=own)
        assert (none.verdict, none.granted) == (ClaimVerdict.GRANTED, ())

    async def test_a_whole_step_that_nobody_works_on_can_be_taken_over(self, record: Record) -> None:
        task = await record.accept(range(1, 8))
        former = await task.ask(PREPARE, 3, whole=True)
        await task.succeed(former.granted)
        mine = await task.ask(PREPARE, 1, whole=True, worker=SECOND)
        assert [claim.series_id for claim in mine.granted] == [3]
        await task.succeed(mine.granted)
        theirs = await task.ask(PREPARE, 3, whole=True, own=former.granted[0].token)
        assert theirs.verdict is ClaimVerdict.BUSY, "whoever was overtaken does not go on beside the other"
        mine = await task.ask(PREPARE, 3, whole=True, own=mine.granted[0].token, worker=SECOND)
        assert [claim.series_id for claim in mine.granted] == [4, 5, 6]

    async def test_what_became_ready_again_is_claimed_first_and_by_a_new_token(self, record: Record) -> None:
        task = await record.accept(range(1, 301))
        before = await task.claim(PREPARE, 200, at=NOW + 10)
        await task.fail(before, at=NOW + 20)
        for series_id in (150, 3, 9):
            await task.retry(series_id)
        claims = await task.claim_hosts(PREPARE, 5, worker=SECOND, at=NOW + 30)
        assert [claim.series_id for claim in claims] == [3, 9, 150, 200, 201]
        assert [claim.host_id for claim in claims] == [4, 10, 151, 201, 202]
        assert [claim.run_time for claim in claims] == [2, 2, 2, 1, 1]
        assert [claim.operation for claim in claims[:3]] == [Operation.RETRY] * 3
        assert {claim.token for claim in claims}.isdisjoint({claim.token for claim in before})
        again = await task.subtask(9)
        assert (again.started, again.finished, again.executor) == (NOW + 10, None, SECOND.name)

    async def test_no_token_is_given_twice(self, record: Record) -> None:
        task = await record.accept((1, 2))
        tokens: list[int] = []
        for step in range(len(task.plan.steps)):
            claims = await task.claim(step)
            tokens.extend(claim.token for claim in claims)
            await task.succeed(claims)
        assert tokens == [*range(1, task.plan.size + 1)]

    async def test_a_claim_knows_whether_its_task_holds_the_host(self, record: Record) -> None:
        await record.import_hosts(1)
        task = await record.accept((1,))
        await task.pass_steps_before(STOP)
        (claim,) = await task.claim_hosts(STOP)
        assert not claim.held

    async def test_subtasks_name_the_worker_that_ran_them(self, record: Record) -> None:
        task = await record.accept()
        for worker in (SECOND, FIRST, SECOND):
            await task.claim(PREPARE, 1, worker=worker)
        found = await task.subtasks()
        assert [found[one].executor for one in range(3)] == [SECOND.name, FIRST.name, SECOND.name]
