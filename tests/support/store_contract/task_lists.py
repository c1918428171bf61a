"""Lists of tasks: which ones, in which order, how many in all; and what is gone is not listed."""

from dataclasses import replace
from itertools import product

from core.record import Creator, Draft, TaskRecord
from core.status import TaskStatus
from core.task_types.batch_stop_agents import TASK_TYPE
from infra.store.task_values import ClaimRequest, TaskQuery
from infra.store.values import StoreOptions
from tests.support.records import FIRST as WORKER
from tests.support.records import NOW, PREPARE, draft, make_failures, make_successes
from tests.support.scenario import Record
from tests.support.waiting import eventually

SINGLE = replace(TASK_TYPE, parallel=False)
RESTART = replace(TASK_TYPE, slug="restart")

EVERY_TASK = TaskQuery()
FAILED = frozenset({TaskStatus.FAILED})


async def find(record: Record, query: TaskQuery = EVERY_TASK) -> tuple[int, list[int]]:
    """Return how many tasks there are of those that a query asks for, and the ids on the page."""
    page = await record.tasks.page(query, NOW)
    return page.total, [task.id for task in page.items]


async def end(record: Record, task: TaskRecord, status: TaskStatus) -> None:
    """Let a task end without a look at it afterwards: it may be of an unknown type, or expire at once."""
    results = make_failures if status is TaskStatus.FAILED else make_successes
    steps = {TaskStatus.RUNNING: 0, TaskStatus.FAILED: 1, TaskStatus.SUCCESSFUL: len(task.plan.steps)}[status]
    for step in task.plan.steps[:steps]:
        _, claims = await record.tasks.advance(task, step, WORKER, NOW, claim=ClaimRequest(10))
        await record.tasks.advance(task, step, WORKER, NOW, settled=results(claims.granted))


class TaskLists:
    async def test_pages_are_newest_first_and_say_how_many_there_are(self, record: Record) -> None:
        assert await find(record) == (0, [])
        tasks = [await record.accept((number,)) for number in range(1, 26)]
        ids = [task.id for task in reversed(tasks)]
        assert await find(record) == (25, ids[:10])
        assert await find(record, TaskQuery(offset=20)) == (25, ids[20:])
        assert await find(record, TaskQuery(offset=25)) == (25, [])
        assert await find(record, TaskQuery(offset=3, limit=4, ascending=True)) == (25, ids[::-1][3:7])
        assert await find(record, TaskQuery(offset=2**62, limit=2000)) == (25, [])
        page = await record.tasks.page(TaskQuery(limit=1), NOW)
        assert page.items == (tasks[-1].accepted,)

    async def test_every_filter_finds_what_it_says_and_all_of_it(self, record: Record) -> None:
        made: list[tuple[TaskRecord, TaskStatus, str]] = []
        kinds = product(TaskStatus, (TASK_TYPE, RESTART), ("admin", "night shift", "a:b"), range(2))
        for status, task_type, creator, _ in kinds:
            task = await record.tasks.create(Draft(task_type, (1,), Creator(1, creator), "10.0.0.1", "0", NOW))
            await end(record, replace(task, type_slug=TASK_TYPE.slug), status)
            made.append((task, status, creator))
        every: list[frozenset[TaskStatus] | None] = [None, *(frozenset({one}) for one in TaskStatus)]
        every.append(frozenset({TaskStatus.FAILED, TaskStatus.RUNNING}))
        types = (None, frozenset({"restart"}), frozenset({"restart", TASK_TYPE.slug}))
        for statuses, slugs, user in product(every, types, (None, "admin", "night shift", "a:b", "nobody")):
            matches = [
                task.id
                for task, status, who in made
                if (statuses is None or status in statuses)
                and (slugs is None or task.type_slug in slugs)
                and user in {None, who}
            ]
            for ascending, (offset, limit) in product((False, True), ((0, 100), (1, 3))):
                page = sorted(matches, reverse=not ascending)[offset : offset + limit]
                query = TaskQuery(statuses, slugs, user, ascending=ascending, offset=offset, limit=limit)
                assert await find(record, query) == (len(matches), page)

    async def test_a_host_finds_the_tasks_about_it_alone(self, record: Record) -> None:
        await record.accept((7,))
        about = [await record.tasks.create(replace(draft((host,)), task_type=SINGLE)) for host in (7, 8, 7)]
        assert await find(record, TaskQuery(host_id=7)) == (2, [about[2].id, about[0].id])
        assert await find(record, TaskQuery(host_id=7, creator="admin")) == (2, [about[2].id, about[0].id])
        assert await find(record, TaskQuery(host_id=7, creator="other")) == (0, [])
        await end(record, about[0], TaskStatus.FAILED)
        assert await find(record, TaskQuery(FAILED, host_id=7)) == (1, [about[0].id])
        assert await find(record, TaskQuery(host_id=9)) == (0, [])

    async def test_what_was_withdrawn_or_has_expired_is_not_listed(self, record: Record) -> None:
        record.configure(StoreOptions(keep_tasks=1, keep_events=1))
        running, withdrawn, ended = [await record.accept((number,)) for number in (1, 2, 3)]
        await withdrawn.withdraw()
        await end(record, ended.accepted, TaskStatus.FAILED)

        async def only_one_is_listed() -> bool:
            page = await record.tasks.page(TaskQuery(), NOW + 10)
            return (page.total, [task.id for task in page.items]) == (1, [running.id])

        await eventually(only_one_is_listed, 10, "only the running task is listed")
        assert (await record.tasks.page(TaskQuery(FAILED), NOW + 10)).total == 0

    async def test_several_tasks_are_read_at_once(self, record: Record) -> None:
        one, other = [await record.accept(range(1, 201)) for _ in range(2)]
        await one.pass_step(PREPARE)
        found = await record.tasks.many_subtasks([one.accepted, other.accepted])
        assert found == {task.id: await task.subtasks() for task in (one, other)}
        assert (len(found[one.id]), len(found[other.id])) == (200, 0)
        heads = await record.tasks.heads([other.id, 99, one.id])
        assert heads == {task.id: await task.head() for task in (one, other)}

    async def test_every_log_comes_in_order(self, record: Record) -> None:
        task = await record.accept(range(1, 301))
        await task.pass_step(PREPARE)
        found = [(series_id, log.run_time) for series_id, log in await task.every_log()]
        assert found == [(series_id, 1) for series_id in range(300)]
