"""Tasks that failed go back: step by step from where they failed to the first."""

from collections.abc import Sequence

from core.claim import Claim, ClaimVerdict, GivenAway, HeldByOther, Taken
from core.host import RUNNING, STOPPED, STOPPING, AgentStatus, HostStatus
from core.record import TaskRecord
from core.status import Operation, Status, TaskStatus
from core.transition import Failed, Succeeded, Undone
from infra.store.base import CHUNK, Course, CourseChanged, CourseRefused, Release, Store
from tests.support.keepers import Keeper
from tests.support.records import (
    FIRST_WAIT,
    NOW,
    PREPARE,
    STOP,
    advance,
    claim_step,
    draft,
    entry,
    failed,
    head,
    pass_step,
    run_log,
    settle,
    succeeded,
)

SECOND_WAIT, FINISH = 3, 4


def undone(claims: Sequence[Claim], *, touched: bool = False) -> list[Undone]:
    """Return the results of runs that undid what was done."""
    return [Undone(one.series_id, one.token, run_log(one.run_time, "undone"), touched=touched) for one in claims]


async def at_stop(store: Store, hosts: Sequence[int] = (1, 2, 3)) -> TaskRecord:
    """Return a task whose second Stop failed."""
    task = await store.tasks.create(draft(hosts))
    await pass_step(store, task, PREPARE)
    await pass_step(store, task, FIRST_WAIT)
    claims = await claim_step(store, task, STOP)
    results = [
        Failed(one.series_id, one.token, run_log(1, "badly"), agent_alive=None, touched=True)
        if one is claims[1]
        else Succeeded(one.series_id, one.token, run_log(1, "well"), agent_alive=False, touched=one is claims[0])
        for one in claims
    ]
    await settle(store, task, STOP, results)
    return task


async def shown(store: Store, task: TaskRecord) -> list[tuple[Status, Operation, int]]:
    """Return how every subtask stands: status, operation, run time."""
    now = await head(store, task)
    return [(one.status, one.operation, one.run_time) for _, one in now.subtasks(await store.tasks.subtasks(now))]


class Rollback:
    async def test_what_was_done_waits_to_be_undone_and_no_run_counts(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store)
        assert await store.tasks.change_course(task, Course.ROLLBACK, NOW + 5) == CourseChanged(STOP, back=True)
        turned = await head(store, task)
        assert (turned.status, turned.operation) == (TaskStatus.RUNNING, Operation.ROLLBACK)
        assert (turned.back, turned.current, turned.undoing) == (STOP, STOP, True)
        done, ready = (Status.SUCCESSFUL, Operation.ROLLBACK, 1), (Status.READY, Operation.ROLLBACK, 1)
        pending = (Status.PENDING, Operation.EXECUTE, 1)
        assert await shown(store, task) == [done] * 4 + [ready] * 3 + [pending] * 4
        assert (await keeper.events(task.id))[-1] == {
            "at": str(NOW + 5),
            "step": str(STOP),
            "Y": "5",
            "task": "RUNNING",
            "back": str(STOP),
        }

    async def test_a_task_goes_back_step_by_step_until_all_is_pending(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store)
        await store.tasks.change_course(task, Course.ROLLBACK, NOW)
        for step, opened in ((STOP, FIRST_WAIT), (FIRST_WAIT, PREPARE), (PREPARE, None)):
            for other in {PREPARE, FIRST_WAIT, STOP, SECOND_WAIT} - {step}:
                _, early = await advance(store, task, other, claim=CHUNK)
                assert (early.verdict, early.granted) == (ClaimVerdict.EARLY, ())
            claims = await claim_step(store, task, step)
            assert {claim.operation for claim in claims} == {Operation.ROLLBACK}
            settlement = await settle(store, task, step, undone(claims), NOW + 9)
            assert settlement.opened == opened
        ended = await head(store, task)
        assert (ended.status, ended.operation, ended.finished) == (TaskStatus.SUCCESSFUL, Operation.ROLLBACK, NOW + 9)
        assert {status for status, _, _ in await shown(store, task)} == {Status.PENDING}
        assert [log.lines[0].text for log in await store.tasks.logs(task, 5)] == ["badly", "undone"]
        refused = CourseRefused(TaskStatus.SUCCESSFUL)
        assert await store.tasks.change_course(task, Course.ROLLBACK, NOW) == refused
        assert await store.tasks.change_course(task, Course.RETRY, NOW) == refused

    async def test_a_claim_says_what_earlier_runs_may_have_done(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store)
        await store.tasks.change_course(task, Course.ROLLBACK, NOW)
        claims = await claim_step(store, task, STOP)
        assert [claim.touched for claim in claims] == [True, True, False]
        stored = await store.tasks.subtasks(task)
        assert [stored[one.series_id].agent_alive for one in claims] == [False, None, False]

    async def test_what_undoes_can_only_be_recorded_of_a_run_that_was_there_for_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft((1,)))
        (claim,) = await claim_step(store, task, PREPARE)
        assert (await settle(store, task, PREPARE, undone([claim]))).stale == (0,)
        await settle(store, task, PREPARE, failed([claim]))
        await store.tasks.change_course(task, Course.ROLLBACK, NOW)
        (claim,) = await claim_step(store, task, PREPARE)
        assert (await settle(store, task, PREPARE, succeeded([claim]))).stale == (0,)
        assert (await settle(store, task, PREPARE, undone([claim]))).task_status is TaskStatus.SUCCESSFUL

    async def test_a_failed_rollback_is_continued_by_a_retry_or_by_another_rollback(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store)
        await store.tasks.change_course(task, Course.ROLLBACK, NOW)
        for run_time, course in ((1, Course.RETRY), (2, Course.ROLLBACK), (3, None)):
            claims = await claim_step(store, task, STOP)
            assert {claim.operation for claim in claims} == {Operation.ROLLBACK}
            bad = next(claim for claim in claims if claim.series_id == 5)
            assert bad.run_time == run_time
            good = [claim for claim in claims if claim is not bad]
            result = failed([bad]) if course else undone([bad])
            settlement = await settle(store, task, STOP, [*undone(good), *result])
            now = await head(store, task)
            assert now.operation is Operation.ROLLBACK
            if course:
                assert (settlement.opened, now.status) == (None, TaskStatus.FAILED)
                assert await store.tasks.change_course(task, course, NOW) == CourseChanged(STOP, back=True)
            else:
                assert settlement.opened == FIRST_WAIT
        assert len(await store.tasks.logs(task, 5)) == 4

    async def test_a_skip_on_the_way_back_leaves_the_subtask_pending(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store)
        await store.tasks.change_course(task, Course.ROLLBACK, NOW)
        first, second, third = await claim_step(store, task, STOP)
        await settle(store, task, STOP, [*undone([first, third]), *failed([second])])
        assert await store.tasks.change_course(task, Course.SKIP, NOW, 5) == CourseChanged(STOP, back=True)
        (claim,) = await claim_step(store, task, STOP)
        assert (claim.operation, claim.run_time) == (Operation.ROLLBACK_SKIP, 1)
        assert (await settle(store, task, STOP, undone([claim]))).opened == FIRST_WAIT
        assert (await shown(store, task))[5] == (Status.PENDING, Operation.ROLLBACK_SKIP, 1)
        assert len(await store.tasks.logs(task, 5)) == 3

    async def test_a_rollback_can_be_cancelled_and_taken_up_again(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await at_stop(store)
        await store.tasks.change_course(task, Course.ROLLBACK, NOW)
        _, answer = await advance(store, task, STOP, claim=1)
        await settle(store, task, STOP, undone(answer.granted))
        assert await store.tasks.cancel(task, NOW) is True
        now = await head(store, task)
        assert (now.status, now.operation) == (TaskStatus.FAILED, Operation.ROLLBACK)
        assert sum(status is Status.FAILED for status, _, _ in await shown(store, task)) == 2
        assert await store.tasks.change_course(task, Course.RETRY, NOW) == CourseChanged(STOP, back=True)
        claims = await claim_step(store, task, STOP)
        assert (await settle(store, task, STOP, undone(claims))).opened == FIRST_WAIT

    async def test_only_what_failed_can_be_rolled_back(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft())
        refused = CourseRefused(TaskStatus.RUNNING)
        assert await store.tasks.change_course(task, Course.ROLLBACK, NOW) == refused
        for step in range(5):
            await pass_step(store, task, step)
        refused = CourseRefused(TaskStatus.SUCCESSFUL)
        assert await store.tasks.change_course(task, Course.ROLLBACK, NOW) == refused

    async def test_many_hosts_turn_round_and_go_back(self, keeper: Keeper) -> None:
        store = keeper.open()
        size = 3 * CHUNK + 7
        task = await store.tasks.create(draft(range(1, size + 1)))
        await pass_step(store, task, PREPARE)
        await pass_step(store, task, FIRST_WAIT)
        claims = await claim_step(store, task, STOP)
        bad = set(range(2, size, 3)) | set(range(2 * CHUNK, size))
        results = [(failed if index in bad else succeeded)([claim])[0] for index, claim in enumerate(claims)]
        await settle(store, task, STOP, results)
        assert await store.tasks.change_course(task, Course.ROLLBACK, NOW) == CourseChanged(STOP, back=True)
        seen: list[int] = []
        while True:
            _, answer = await advance(store, task, STOP, claim=64)
            if not answer.granted:
                break
            seen += [claim.series_id for claim in answer.granted]
            settlement, _ = await advance(store, task, STOP, undone(answer.granted))
        assert sorted(seen) == list(task.plan.steps[STOP].series)
        assert settlement.opened == FIRST_WAIT

    async def test_hosts_that_were_given_back_are_taken_again_and_then_restored(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put(map(entry, (1, 2, 3, 4)), NOW)
        task = await store.tasks.create(draft((1, 2, 3, 4)))
        claims = await claim_step(store, task, PREPARE)
        await store.tasks.take_hosts(claims, NOW, STOPPING)
        await store.tasks.give_back_hosts(claims[:3], NOW, STOPPED)
        other = await store.tasks.create(draft((2, 3)))
        theirs = await claim_step(store, other, PREPARE)
        await store.tasks.take_hosts(theirs, NOW, STOPPING)
        await store.tasks.give_back_hosts(theirs[1:], NOW, RUNNING)
        assert await store.tasks.retake_hosts(claims, NOW, STOPPING) == (
            Taken(),
            HeldByOther(2, other.id),
            GivenAway(3),
            Taken(),
        )
        assert await store.tasks.give_back_hosts(claims, NOW, None) == (1, 4)
        hosts = await store.hosts.get((1, 3, 4))
        assert {(host.status, host.agent_status, host.holder) for host in hosts.values()} == {
            (HostStatus.ONLINE, AgentStatus.AVAILABLE, None)
        }

    async def test_a_host_is_released_only_where_nobody_works_on_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.hosts.put(map(entry, (1, 2)), NOW)
        task = await store.tasks.create(draft((1, 2)))
        claims = await claim_step(store, task, PREPARE)
        await store.tasks.take_hosts(claims, NOW, STOPPING)
        host = (await store.hosts.get((1,)))[1]
        assert await store.tasks.release_host(host, task, 0, NOW, None) is Release.BUSY
        await settle(store, task, PREPARE, failed(claims))
        later = await head(store, task)
        assert await store.tasks.release_host(host, later, 0, NOW + 3, STOPPED) is Release.FREED
        assert await store.tasks.release_host(host, later, 0, NOW + 4, STOPPED) is Release.MOVED
        other = (await store.hosts.get((2,)))[2]
        assert await store.tasks.release_host(other, later, 1, NOW + 5, None) is Release.FREED
        assert await keeper.expires(task.id), "a task that is over and holds nothing goes"
        hosts = await store.hosts.get((1, 2))
        assert [(one.status, one.agent_status, one.holder) for one in hosts.values()] == [
            (HostStatus.OFFLINE, AgentStatus.OFFLINE, None),
            (HostStatus.ONLINE, AgentStatus.AVAILABLE, None),
        ]
