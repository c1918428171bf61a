"""The agent of one host and its processes: whole bodies, and every way in which the answer is no."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from app.agents.schemas import HostAgent, HostAgentProcess, HostAgentProcessPage
from app.http.schemas import Reply
from app.http.wire import format_seconds
from core.claim import require_host_claims
from core.host import STOPPING
from core.lease import Lease, Leased
from tests.support.api import NO_BROKER, NOW, Api, running_api
from tests.support.errands import attach_worker
from tests.support.records import claim_step
from workers.executor.stub.behaviour import Behaviour
from workers.executor.stub.executor import StubExecutor

if TYPE_CHECKING:
    from collections.abc import Sequence

AGENT = "/api/v2/compute/hosts/2/agent"
HOME = "/home/admin/ocp_agent"
CREATED = format_seconds(1_600_000_000_000)


def process(number: int, name: str, pid: int, listening: str | None, **more: object) -> dict[str, Any]:
    return {
        "alias": f"ocp_{name}",
        "createTime": CREATED,
        "elapsedTime": 3600 - pid // 100,
        "hostId": 2,
        "id": number,
        "lastActiveTime": format_seconds(NOW),
        "logFilePattern": f"{HOME}/log/{name}.log*",
        "operable": number != 1,
        "pid": pid,
        "ports": listening,
        "startCommand": f"{HOME}/bin/ocp_{name}",
        "status": "STARTED",
        "updateTime": format_seconds(NOW),
        "user": "admin",
    } | more


STOPPED = {
    "elapsedTime": 0,
    "lastActiveTime": None,
    "ports": None,
    "startCommand": None,
    "status": "STOPPED",
    "user": None,
}
RUNNING = [process(1, "agentd", 1000, ""), process(2, "mgragent", 1001, "62888"), process(3, "monagent", 1002, "62889")]


async def held(api: Api, host_id: int = 2) -> int:
    task_id: int = (await api.stop([host_id])).json()["data"]["id"]
    task = await api.store.tasks.head(task_id)
    assert task is not None
    await api.store.tasks.take_hosts(require_host_claims(await claim_step(api.store, task, 0)), NOW, STOPPING)
    return task_id


@pytest.mark.parametrize("prefix", ["/api/v2", ""])
async def test_a_running_agent(api: Api, prefix: str) -> None:
    await attach_worker(api, StubExecutor())
    answer = await api.client.get(f"{prefix}/compute/hosts/2/agent")

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {
        "createTime": CREATED,
        "hostId": 2,
        "hostInnerIpAddress": "10.0.0.2",
        "id": 2,
        "installHome": HOME,
        "lastAvailableTime": format_seconds(NOW),
        "logHome": f"{HOME}/log",
        "processes": RUNNING,
        "status": "AVAILABLE",
        "updateTime": format_seconds(NOW),
        "version": "4.2.2-stub",
    }
    assert list(answer.json()["data"]) == sorted(answer.json()["data"])
    Reply[HostAgent].model_validate_json(answer.content, strict=False)


@pytest.mark.parametrize("prefix", ["/api/v2", ""])
async def test_the_processes_in_pages(api: Api, prefix: str) -> None:
    await attach_worker(api, StubExecutor())
    path = f"{prefix}/compute/hosts/2/agent/processes"
    answer = await api.client.get(path)
    assert answer.json()["data"] == {
        "contents": RUNNING,
        "page": {"number": 1, "size": 10, "totalElements": 3, "totalPages": 1},
    }
    Reply[HostAgentProcessPage].model_validate_json(answer.content, strict=False)
    second = await api.client.get(f"{path}?page=2&size=2")
    assert second.json()["data"] == {
        "contents": RUNNING[2:],
        "page": {"number": 2, "size": 2, "totalElements": 3, "totalPages": 2},
    }


@pytest.mark.parametrize(
    ("behaviour", "status", "version", "running"),
    [
        (Behaviour.STOPPED, "OFFLINE", "4.2.2-stub", []),
        (Behaviour.BARE, "DELETED", None, []),
        (Behaviour.LAME, "AVAILABLE", "4.2.2-stub", [1, 2]),
        (Behaviour.ORPHANS, "OFFLINE", "4.2.2-stub", [2, 3]),
    ],
)
async def test_agents_that_do_not_run_or_not_quite(
    api: Api, behaviour: Behaviour, status: str, version: str | None, running: list[int]
) -> None:
    await attach_worker(api, StubExecutor(behaviours={2: behaviour}))
    agent = (await api.client.get(AGENT)).json()["data"]
    assert (agent["status"], agent["version"]) == (status, version)
    assert (agent["lastAvailableTime"] is None) == (status != "AVAILABLE")
    assert [one["id"] for one in agent["processes"] if one["status"] == "STARTED"] == running
    for one in agent["processes"]:
        if one["id"] not in running:
            assert one.items() >= (STOPPED | {"pid": 0}).items()


async def test_the_task_that_holds_the_host_says_where_its_agent_stands(api: Api) -> None:
    await attach_worker(api, StubExecutor())
    await held(api)
    agent = (await api.client.get(AGENT)).json()["data"]
    assert agent["status"] == "STOPPING"
    assert agent["processes"] == RUNNING


@pytest.mark.parametrize("prefix", ["/api/v2", ""])
async def test_a_process_is_stopped_and_restarted(api: Api, prefix: str) -> None:
    executor = StubExecutor()
    await attach_worker(api, executor)
    path = f"{prefix}/compute/hosts/2/agent/processes/3"

    stopped = await api.client.post(f"{path}/stop")
    assert stopped.status_code == 200, stopped.text
    assert stopped.json()["data"] == process(3, "monagent", 0, None, **STOPPED)
    Reply[HostAgentProcess].model_validate_json(stopped.content, strict=False)
    assert len(executor.list_pids(2)) == 2

    again = await api.client.post(f"{path}/stop")
    assert again.json()["data"] == stopped.json()["data"]
    assert executor.count_commands(2)["service stop"] == 1, "what is stopped is left alone"

    restarted = await api.client.post(f"{path}/restart")
    assert restarted.json()["data"] == process(3, "monagent", 1003, "62889")
    assert executor.count_commands(2)["service stop"] == 1

    anew = await api.client.post(f"{path}/restart")
    assert anew.json()["data"]["pid"] == 1004
    assert executor.count_commands(2)["service start"] == 2
    assert await api.store.hosts.lease((2,), Lease("mine", "to test", 1000)) == Leased(), "its lease was given back"


async def test_agentd_is_not_operable_by_itself(api: Api) -> None:
    answer = await api.client.post(f"{AGENT}/processes/1/stop")
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": 40000,
        "message": (
            "agentProcessId: ocp_agentd manages the others and cannot be changed by itself. For the whole agent, use "
            "POST /api/v2/compute/hosts/2/agent/stop."
        ),
    }
    assert api.dispatcher.sent == []


async def test_what_there_is_not(api: Api) -> None:
    for method, path, message in (
        (
            "POST",
            "2/agent/processes/4/stop",
            "agentProcessId: the agent of host 2 has no process 4. It has 1 (ocp_agentd), ",
        ),
        ("POST", "9/agent/processes/2/restart", "There is no host 9 in the inventory."),
        ("GET", "9/agent", "There is no host 9 in the inventory."),
        ("GET", "9/agent/processes", "There is no host 9 in the inventory."),
    ):
        answer = await api.client.request(method, f"/api/v2/compute/hosts/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, 10002)
        assert answer.json()["error"]["message"].startswith(message)
    assert (await api.client.post(f"{AGENT}/processes/x/stop")).status_code == 400


async def test_a_host_of_a_task_is_left_to_it(api: Api) -> None:
    await attach_worker(api, StubExecutor())
    task_id = await held(api)
    answer = await api.client.post(f"{AGENT}/processes/2/restart")
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": 40000,
        "message": (
            f"Host 2 is held by task {task_id}, so nothing was done. Wait for that task to end, or see "
            f"GET /api/v2/tasks/instances/{task_id} for what it needs."
        ),
    }
    assert api.dispatcher.sent == []


async def test_one_change_at_a_time_on_a_host(api: Api) -> None:
    await api.store.hosts.lease((2,), Lease("other", "to restart process mgragent of its agent", 30_000))
    answer = await api.client.post(f"{AGENT}/processes/3/stop")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 40000)
    message = answer.json()["error"]["message"]
    assert message.startswith(
        "Nothing was done: another request is working on host 2 to restart process mgragent of its agent. It"
    )
    assert message.endswith(" s. Try again then.")
    await attach_worker(api, StubExecutor())
    assert (await api.client.get(AGENT)).status_code == 200, "a look disturbs nobody"


@pytest.mark.parametrize(
    ("behaviour", "status", "code", "said"),
    [
        (Behaviour.UNREACHABLE, 502, 10010, "Host 2: Unreachable: 10.0.0.2:22: Connection refused."),
        (Behaviour.STOPPED, 400, 40000, "Host 2: No agentd: the host's agent does not run, so ocp_monagent "),
        (Behaviour.REFUSING, 502, 10010, "Host 2: Refused: the agent's control program answered fetch_config_failed"),
        (Behaviour.MISSING, 502, 10010, "Host 2: Not installed: /home/admin/ocp_agent/bin/ocp_agentctl is missing"),
    ],
)
async def test_a_host_that_does_not_do_it(api: Api, behaviour: Behaviour, status: int, code: int, said: str) -> None:
    await attach_worker(api, StubExecutor(behaviours={2: behaviour}))
    answer = await api.client.post(f"{AGENT}/processes/3/restart")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"].startswith(said)
    assert await api.store.hosts.lease((2,), Lease("mine", "to test", 1000)) == Leased()


async def test_no_worker_takes_it(api: Api) -> None:
    async with running_api(api.store, errand_timeout=1) as slow:
        answers = await asyncio.gather(
            slow.client.get(AGENT), slow.client.post("/api/v2/compute/hosts/1001/agent/processes/3/stop")
        )
    for answer, host_id in zip(answers, (2, 1001), strict=True):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["error"]["message"] == (
            f"No worker took the request within 0.9 s, so nothing was done on host {host_id}. "
            "Check that workers run and that not all are busy (Flower, /readyz), then try again."
        )
    for errand in slow.dispatcher.sent:
        assert await api.store.errands.claim(errand.id) is None, "a late message finds nothing"
    assert await api.store.hosts.lease((2, 1001), Lease("mine", "to test", 1000)) == Leased()


async def test_the_worker_that_took_it_dies(api: Api) -> None:
    async def dying(errand_id: str) -> None:
        assert await slow.store.errands.claim(errand_id)

    async with running_api(api.store, errand_timeout=1) as slow:
        slow.dispatcher.worker = dying
        look = await slow.client.get(AGENT)
        change = await slow.client.post(f"{AGENT}/processes/3/stop")
    assert look.json()["error"]["message"] == "The worker that took the request did not answer within 0.9 s. Try again."
    assert change.status_code == 503
    assert "The operation may have been done: look at the agent of host 2, then" in change.json()["error"]["message"]
    busy = await api.store.hosts.lease((2,), Lease("mine", "to test", 1000))
    assert busy != Leased(), "its command may still run on the host"


async def test_the_broker_is_away(api: Api) -> None:
    api.dispatcher.fault = NO_BROKER
    answer = await api.client.post(f"{AGENT}/processes/3/stop")
    assert answer.status_code == 503
    assert await api.store.hosts.lease((2,), Lease("mine", "to test", 1000)) == Leased()


async def test_so_many_wait_at_a_time_and_no_more(api: Api) -> None:
    async with running_api(api.store, errand_timeout=1, max_errands=2) as full:
        waiting: Sequence[asyncio.Task[Any]] = [asyncio.create_task(full.client.get(AGENT)) for _ in range(2)]
        while len(full.dispatcher.sent) < 2:  # noqa: ASYNC110 - the requests are on their way
            await asyncio.sleep(0)
        refused = await full.client.get(AGENT)
        assert refused.status_code == 503
        assert "the most that OCPFLEET_MAX_ERRANDS allows" in refused.json()["error"]["message"]
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [503, 503]
        await attach_worker(full, StubExecutor())
        assert (await full.client.get(AGENT)).status_code == 200
