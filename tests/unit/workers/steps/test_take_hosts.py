"""A host that was protected after a request for it was accepted is not taken."""

from core.status import Status
from tests.support.records import NOW, PREPARE, draft, entry
from tests.support.work import make_work
from workers.steps.store_steps import run_step


async def test_prepare_fails_for_all_hosts_and_says_why() -> None:
    work = await make_work()
    await work.store.hosts.put([entry(1), entry(2)], NOW)
    task = await work.store.tasks.create(draft((1, 2)))
    await work.store.hosts.protect((2,), NOW)

    assert await run_step(work, task, task.plan.steps[PREPARE]) is None

    head = await work.store.tasks.head(task.id)
    assert head is not None
    assert (head.status, head.counts) == ("FAILED", {(PREPARE, Status.FAILED): 2})
    said = [(await work.store.tasks.logs(head, series_id))[0].lines[-1].text for series_id in (0, 1)]
    way_out = "Make a new request without it, or ask an administrator to lift the protection and retry."
    assert said == [
        f"Not taken: host 2 is protected, and a task takes all its hosts or none. {way_out}",
        f"Not taken: host 2 is protected. {way_out}",
    ]
    assert (await work.store.hosts.get((1,)))[1].holder is None
