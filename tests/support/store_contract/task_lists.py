"""Lists of tasks: which ones, in which order, how many in all; and what is gone is not listed."""

from dataclasses import replace
from itertools import product

from core.record import Creator, Draft, TaskRecord
from core.status import TaskStatus
from core.task_types.batch_stop_agents import TASK_TYPE
from infra.store.base import ClaimRequest, Store, StoreOptions, TaskQuery
from tests.support.keepers import Keeper
from tests.support.records import FIRST as WORKER
from tests.support.records import NOW, PREPARE, draft, failed, pass_step, succeeded
from tests.support.waiting import eventually

SINGLE = replace(TASK_TYPE, parallel=False)
RESTART = replace(TASK_TYPE, slug="restart")


async def _ids(store: Store, **query: object) -> tuple[int, list[int]]:
    page = await store.tasks.page(TaskQuery(**query), NOW)  # type: ignore[arg-type]
    return page.total, [task.id for task in page.tasks]


async def _end(store: Store, task: TaskRecord, status: TaskStatus) -> None:
    """Let a task end without looking at it afterwards: it may be of an unknown type, or expire at once."""
    results = failed if status is TaskStatus.FAILED else succeeded
    steps = {TaskStatus.RUNNING: 0, TaskStatus.FAILED: 1, TaskStatus.SUCCESSFUL: len(task.plan.steps)}[status]
    for step in task.plan.steps[:steps]:
        _, claims = await store.tasks.advance(task, step, WORKER, NOW, claim=ClaimRequest(10))
        await store.tasks.advance(task, step, WORKER, NOW, settled=results(claims.granted))


class TaskLists:
    async def test_pages_are_newest_first_and_say_how_many_there_are(self, keeper: Keeper) -> None:
        store = keeper.open()
        assert await _ids(store) == (0, [])
        tasks = [await store.tasks.create(draft((number,))) for number in range(1, 26)]
        ids = [task.id for task in reversed(tasks)]
        assert await _ids(store) == (25, ids[:10])
        assert await _ids(store, offset=20) == (25, ids[20:])
        assert await _ids(store, offset=25) == (25, [])
        assert await _ids(store, offset=3, limit=4, ascending=True) == (25, ids[::-1][3:7])
        assert await _ids(store, offset=2**62, limit=2000) == (25, [])
        page = await store.tasks.page(TaskQuery(limit=1), NOW)
        assert page.tasks == (tasks[-1],)

    async def test_every_filter_finds_what_it_says_and_all_of_it(self, keeper: Keeper) -> None:
        store = keeper.open()
        made: list[tuple[TaskRecord, TaskStatus, str]] = []
        kinds = product(TaskStatus, (TASK_TYPE, RESTART), ("admin", "night shift", "a:b"), range(2))
        for status, task_type, creator, _ in kinds:
            task = await store.tasks.create(Draft(task_type, (1,), Creator(1, creator), "10.0.0.1", "0", NOW))
            plain = replace(task, type_slug=TASK_TYPE.slug)
            await _end(store, plain, status)
            made.append((task, status, creator))
        every: list[frozenset[TaskStatus] | None] = [None, *(frozenset({one}) for one in TaskStatus)]
        every.append(frozenset({TaskStatus.FAILED, TaskStatus.RUNNING}))
        types = (None, frozenset({"restart"}), frozenset({"restart", TASK_TYPE.slug}))
        for statuses, slugs, creator in product(every, types, (None, "admin", "night shift", "a:b", "nobody")):
            wanted = [
                task.id
                for task, status, who in made
                if (statuses is None or status in statuses)
                and (slugs is None or task.type_slug in slugs)
                and creator in {None, who}
            ]
            for ascending, (offset, limit) in product((False, True), ((0, 100), (1, 3))):
                ordered = sorted(wanted, reverse=not ascending)[offset : offset + limit]
                found = await _ids(
                    store,
                    statuses=statuses,
                    types=slugs,
                    creator=creator,
                    ascending=ascending,
                    offset=offset,
                    limit=limit,
                )
                assert found == (len(wanted), ordered)

    async def test_a_host_finds_the_tasks_about_it_alone(self, keeper: Keeper) -> None:
        store = keeper.open()
        await store.tasks.create(draft((7,)))
        about = [await store.tasks.create(replace(draft((host,)), task_type=SINGLE)) for host in (7, 8, 7)]
        assert await _ids(store, host_id=7) == (2, [about[2].id, about[0].id])
        assert await _ids(store, host_id=7, creator="admin") == (2, [about[2].id, about[0].id])
        assert await _ids(store, host_id=7, creator="other") == (0, [])
        await _end(store, about[0], TaskStatus.FAILED)
        failed_ones = frozenset({TaskStatus.FAILED})
        assert await _ids(store, host_id=7, statuses=failed_ones) == (1, [about[0].id])
        assert await _ids(store, host_id=9) == (0, [])

    async def test_what_was_withdrawn_or_has_expired_is_not_listed(self, keeper: Keeper) -> None:
        store = keeper.open(StoreOptions(keep_tasks=1, keep_events=1))
        staying, withdrawn, ended = [await store.tasks.create(draft((number,))) for number in (1, 2, 3)]
        await store.tasks.withdraw(withdrawn.id)
        await _end(store, ended, TaskStatus.FAILED)

        async def gone() -> bool:
            page = await store.tasks.page(TaskQuery(), NOW + 10)
            return (page.total, [task.id for task in page.tasks]) == (1, [staying.id])

        await eventually(gone, 10, "only the running task is listed")
        assert (await store.tasks.page(TaskQuery(statuses=frozenset({TaskStatus.FAILED})), NOW + 10)).total == 0

    async def test_several_tasks_are_read_at_once(self, keeper: Keeper) -> None:
        store = keeper.open()
        tasks = [await store.tasks.create(draft(range(1, 201))) for _ in range(2)]
        await pass_step(store, tasks[0], PREPARE)
        found = await store.tasks.many_subtasks(tasks)
        assert found == {task.id: await store.tasks.subtasks(task) for task in tasks}
        assert (len(found[tasks[0].id]), len(found[tasks[1].id])) == (200, 0)
        heads = await store.tasks.heads([tasks[1].id, 99, tasks[0].id])
        assert heads == {task.id: await store.tasks.head(task.id) for task in tasks}

    async def test_every_log_comes_in_order(self, keeper: Keeper) -> None:
        store = keeper.open()
        task = await store.tasks.create(draft(range(1, 301)))
        await pass_step(store, task, PREPARE)
        found = [(series_id, log.run_time) async for series_id, log in store.tasks.every_log(task)]
        assert found == [(series_id, 1) for series_id in range(300)]
