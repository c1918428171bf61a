"""A small fleet in every state that an API can show: hosts, tasks that failed, one that runs, one that just began."""

from core.access_key import AccessKey
from core.claim import Claim, Worker, require_host_claims
from core.host import STOPPING
from core.journal import Level, Line, RunLog
from core.record import TaskRecord
from core.status import Operation
from core.transition import Failed, Succeeded
from core.user import Role
from infra.store.task_values import ClaimRequest
from tests.support.api import KEY, NOW, Api, entry

HOSTS = range(1001, 1017)
FAILED, SUBTASK_FAILED, TO_SKIP, RUNNING, BEGUN, TO_ROLL_BACK = range(1, 7)
"""The ids of its tasks. All but one stop two hosts each: of most the second Prepare failed, of one both run."""
HELD = 1013
"""A host that a task holds which does nothing."""
OPERATOR = "night-shift"
"""A user beside `admin`."""
ACCESS_KEY = "4c6be266f2ceece765d4d2fc"
"""The operator's access key."""
TRACE = "688d3147a10b45e8"
"""The trace id of every request about it."""


async def build(api: Api, *, now: int = NOW) -> None:
    """Fill an API's store."""
    store = api.store
    await store.hosts.put([entry(host, f"web-{host - 1000}", KEY) for host in HOSTS], now)
    worker = await store.workers.enrol("worker-1@10.0.0.20")
    await store.workers.beat(worker, 10**9)
    for first in (1001, 1003, 1005):
        await _failed(api, worker, [first, first + 1], now)
    await _claimed(api, worker, [1007, 1008], now)
    await api.ask("/api/v2/compute/hosts/{hostId}/agent/stop", [1009], headers={"x-trace-id": TRACE})
    await _failed(api, worker, [HELD, HELD + 1], now)
    await api.user(OPERATOR, Role.HOST_MANAGER, Role.TASK_VIEWER)
    operator = await store.users.get(OPERATOR)
    assert operator is not None
    await store.access_keys.put(AccessKey(ACCESS_KEY, OPERATOR, operator.id, "sealed", "the nightly job", now))


async def _failed(api: Api, worker: Worker, hosts: list[int], now: int) -> None:
    """Make a stop of two hosts that takes the first one, and fails with the second."""
    first, second = await _claimed(api, worker, hosts, now)
    await api.store.tasks.take_hosts(require_host_claims([first]), now + 110, STOPPING)
    done = Succeeded(first.series_id, first.token, _log(worker, now, Level.INFO, "The host is taken."))
    not_done = Failed(second.series_id, second.token, _log(worker, now, Level.ERROR, "It is held."))
    task = await _head(api, first.task_id)
    await api.store.tasks.advance(task, task.plan.steps[0], worker, now + 255, settled=[done, not_done])


async def _claimed(api: Api, worker: Worker, hosts: list[int], now: int) -> tuple[Claim, ...]:
    """Make a stop of some hosts and claim its Prepares."""
    task = await _head(api, (await api.stop(hosts, headers={"x-trace-id": TRACE})).json()["data"]["id"])
    _, claims = await api.store.tasks.advance(task, task.plan.steps[0], worker, now + 100, claim=ClaimRequest(10))
    return tuple(claims.granted)


async def _head(api: Api, task_id: int) -> TaskRecord:
    head = await api.store.tasks.head(task_id)
    assert head is not None
    return head


def _log(worker: Worker, now: int, level: Level, text: str) -> RunLog:
    return RunLog(Operation.EXECUTE, 1, worker.name, (Line(now + 255, level, text),))
