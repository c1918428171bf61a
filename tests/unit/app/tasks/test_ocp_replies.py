"""OCP's routes, a test each: the whole reply as it is sent: its members, their order, what is null and what is absent.

Written from OCP's tables and samples, not from what the API answers. Moments are shown in OCP's zone.
"""

import io
import json
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from tests.support import world
from tests.support.api import Api, running_api
from tests.support.examples import shown
from tests.support.world import TRACE

ACCEPTED, CLAIMED, ENDED = (f"2021-09-03T15:01:10.{fraction}+08:00" for fraction in ("645", "745", "9"))
IN_SECONDS = "2021-09-03T15:01:10+08:00"
WORKER = "worker-1@10.0.0.20"
HOSTS, TASKS = "/api/v2/compute/hosts", "/api/v2/tasks/instances"
PACKAGE = "com.alipay.ocp.service.task.business"
STEPS = {
    "Prepare stop OCP agent": ("obagent.PrepareStopOcpAgentTask", 60),
    "Prepare restart OCP agent": ("obagent.PrepareRestartOcpAgentTask", 60),
    "Restart pos proxy": ("obagent.RestartPosProxyTask", 60),
    "Stop all OCP agent processes": ("obagent.StopAllOcpAgentProcessesTask", 600),
    "Start all OCP agent processes": ("obagent.StartAllOcpAgentProcessesTask", 600),
    "Finish OCP agent operation": ("obagent.FinishOcpAgentOperationTask", 60),
    "Wait node": ("WaitNode", 30),
}
STOP = ["Prepare stop OCP agent", "Stop all OCP agent processes", "Finish OCP agent operation"]
RESTART = [
    "Prepare restart OCP agent",
    "Restart pos proxy",
    "Stop all OCP agent processes",
    "Start all OCP agent processes",
    "Finish OCP agent operation",
]
OCP_HOST = {
    *("id", "name", "alias", "description", "operatingSystem", "operatingSystemRelease", "architecture"),
    *("serialNumber", "innerIpAddress", "sshPort", "kind", "publishPorts", "services", "status", "idcId", "idcName"),
    *("idcDescription", "typeId", "typeName", "typeDescription", "regionId", "regionName", "regionDescription"),
    *("hostAgentId", "hostAgentVersion", "hostAgentStatus", "createTime", "updateTime"),
}
OUR_HOST = {"agentHome", "agentPrefix", "holderTaskId", "hostKeyFingerprint", "protected", "sshUser", "sudo"}


@pytest.fixture
async def api() -> Any:
    async with running_api() as running:
        await world.build(running)
        yield running


async def ask(api: Api, method: str, path: str, body: object = None) -> httpx.Response:
    sent: dict[str, Any] = {} if body is None else {"json": body}
    return await api.client.request(method, path, headers={"x-trace-id": TRACE}, **sent)


def assert_sent(answer: httpx.Response, data: object = None) -> None:
    """See that a reply is this data in OCP's envelope, member for member in this order; None: there is no data."""
    envelope = {
        **({} if data is None else {"data": data}),
        "duration": 40,
        "server": "10.9.8.7",
        "status": 200,
        "successful": True,
        "timestamp": ACCEPTED,
        "traceId": TRACE,
    }
    assert answer.headers["content-type"] == "application/json"
    assert json.dumps(shown(answer), indent=1) == json.dumps(envelope, indent=1)


def rows(names: list[str], hosts: int) -> list[list[str]]:
    """Return the steps of a task, each as its subtasks' names; a wait node stands between any two of a batch."""
    if hosts == 0:
        return [[name] for name in names]
    return [row for name in names for row in (["Wait node"], [name] * hosts)][1:]


def subtasks(names: list[str], hosts: int, first: int, **changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the subtasks of a task as OCP shows them when it was just made.

    Args:
        names: its steps, without wait nodes.
        hosts: how many hosts; 0 for a task for one host, which is not parallel.
        first: the id of the first subtask.
        changed: by seriesId (`s0`), what is different.
    """
    found: list[dict[str, Any]] = []
    steps = rows(names, hosts)
    ids: list[list[int]] = []
    for step in steps:
        start = ids[-1][-1] + 1 if ids else first
        ids.append([*range(start, start + len(step))])
    for place, step in enumerate(steps):
        for index, name in enumerate(step):
            class_name, timeout = STEPS[name]
            subtask = {
                "className": f"{PACKAGE}.{class_name}",
                "description": name,
                "downstreams": ids[place + 1] if place + 1 < len(steps) else [],
                "id": ids[place][index],
                "name": name,
                "nodeType": "JAVA_TASK",
                "operation": "EXECUTE",
                "parallelIdx": index if hosts and name != "Wait node" else -1,
                "prohibitRollback": False,
                "runTime": 1,
                "seriesId": len(found),
                "status": "PENDING" if place else "READY",
                "timeout": timeout,
                "upstreams": ids[place - 1] if place else [],
            } | changed.get(f"s{len(found)}", {})
            found.append({name: subtask[name] for name in sorted(subtask)})
    return found


def standing(names: list[str], hosts: int, first: int, **changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the subtasks of a task as OCP shows them when it is looked at: without their classes."""
    shown_subtasks = subtasks(names, hosts, first, **changed)
    return [{name: value for name, value in one.items() if name != "className"} for one in shown_subtasks]


def task_instance(name: str, context: dict[str, Any], found: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return OCP's TaskInstance, the seventh task of this server."""
    task = more | {
        "context": context,
        "creator": "admin",
        "executor": "10.9.8.7",
        "id": 7,
        "name": name,
        "operation": "EXECUTE",
        "startTime": ACCEPTED,
        "status": "RUNNING",
        "subtasks": found,
        "taskDefinitionId": -1,
        "type": "MANUAL",
    }
    return {name: task[name] for name in sorted(task)}


def batch_context(*hosts: int) -> dict[str, Any]:
    return {
        "listMap": {"host_ids": list(map(str, hosts))},
        "parallel": False,
        "parallelIdx": -1,
        "stringMap": {"prohibit_rollback": "false"},
    }


def host_context(host: int) -> dict[str, Any]:
    return {
        "listMap": {},
        "parallel": False,
        "parallelIdx": -1,
        "stringMap": {"host_id": str(host), "prohibit_rollback": "false"},
    }


FIRST_NEW = 44
"""The id of the first subtask of a task that is made now."""
PREPARED: dict[str, dict[str, Any]] = {
    "s0": {"executor": WORKER, "finishTime": ENDED, "startTime": CLAIMED, "status": "SUCCESSFUL"},
    "s1": {"executor": WORKER, "finishTime": ENDED, "startTime": CLAIMED, "status": "FAILED"},
}
"""What is different in a stop of two hosts whose second Prepare failed."""


def wrapped(task_id: int, found: list[dict[str, Any]], **changed: Any) -> dict[str, Any]:
    """Return OCP's WrappedTaskInstance of a stop of two hosts that failed."""
    return {
        "createTime": IN_SECONDS,
        "creator": {"id": 100, "name": "admin"},
        "executor": "10.9.8.7",
        "finishTime": ENDED,
        "id": task_id,
        "name": "Batch stop OCP agent",
        "operation": "EXECUTE",
        "prohibitRollback": False,
        "startTime": ACCEPTED,
        "status": "FAILED",
        "subtasks": found,
        "taskDefinitionId": -1,
        "type": "MANUAL",
    } | changed


async def test_row_1_batch_stop(api: Api) -> None:
    answer = await ask(api, "POST", f"{HOSTS}/batchStopAgents", {"hostIds": [1010, 1011]})
    task = task_instance("Batch stop OCP agent", batch_context(1010, 1011), subtasks(STOP, 2, FIRST_NEW))
    assert_sent(answer, task)


async def test_row_2_batch_restart(api: Api) -> None:
    answer = await ask(api, "POST", f"{HOSTS}/batchRestartAgents", {"hostIds": [1010, 1011]})
    task = task_instance("Batch restart OCP agent", batch_context(1010, 1011), subtasks(RESTART, 2, FIRST_NEW))
    assert_sent(answer, task)


async def test_row_3_stop_of_one_host(api: Api) -> None:
    answer = await ask(api, "POST", f"{HOSTS}/1010/agent/stop")
    assert_sent(answer, task_instance("Stop OCP agent", host_context(1010), subtasks(STOP, 0, FIRST_NEW), hostId=1010))


async def test_row_4_restart_of_one_host(api: Api) -> None:
    answer = await ask(api, "POST", f"{HOSTS}/1010/agent/restart")
    task = task_instance("Restart OCP agent", host_context(1010), subtasks(RESTART, 0, FIRST_NEW), hostId=1010)
    assert_sent(answer, task)


def host(host_id: int, *, holder: int | None) -> dict[str, Any]:
    """Return OCP's Host, and what is ours, of a host of the fleet."""
    return {
        "agentHome": "/home/admin/ocp_agent",
        "agentPrefix": "ocp",
        "alias": f"web-{host_id - 1000}",
        "architecture": None,
        "createTime": IN_SECONDS,
        "description": None,
        "holderTaskId": holder,
        "hostAgentId": host_id,
        "hostAgentStatus": "STOPPING" if holder else "AVAILABLE",
        "hostAgentVersion": None,
        "hostKeyFingerprint": "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
        "id": host_id,
        "idcDescription": None,
        "idcId": None,
        "idcName": None,
        "innerIpAddress": f"10.0.{host_id >> 8}.{host_id & 255}",
        "kind": "DEDICATED_PHYSICAL_MACHINE",
        "name": None,
        "operatingSystem": None,
        "operatingSystemRelease": None,
        "protected": False,
        "publishPorts": None,
        "regionDescription": None,
        "regionId": None,
        "regionName": None,
        "serialNumber": None,
        "services": [],
        "sshPort": 22,
        "sshUser": "admin",
        "status": "OFFLINE" if holder else "ONLINE",
        "sudo": False,
        "typeDescription": None,
        "typeId": None,
        "typeName": None,
        "updateTime": IN_SECONDS,
    }


async def test_row_9_hosts(api: Api) -> None:
    answer = await ask(api, "GET", f"{HOSTS}?page=1&size=2&sort=id,asc")
    page = {"number": 1, "size": 2, "totalElements": 16, "totalPages": 8}
    assert_sent(answer, {"contents": [host(1001, holder=1), host(1002, holder=None)], "page": page})


async def test_row_10_a_host(api: Api) -> None:
    assert_sent(await ask(api, "GET", f"{HOSTS}/1001"), host(1001, holder=1))
    assert host(1001, holder=1).keys() == OCP_HOST | OUR_HOST


def basic(task_id: int, first: int) -> dict[str, Any]:
    """Return OCP's BasicTaskInstance, and its progress, of a stop of two hosts whose second Prepare failed."""
    steps = rows(STOP, 2)
    counts = [{"FAILED": 1, "SUCCESSFUL": 1}, *({"PENDING": len(step)} for step in steps[1:])]
    return {
        "creator": {"id": 100, "name": "admin"},
        "finishTime": ENDED,
        "id": task_id,
        "name": "Batch stop OCP agent",
        "progress": [{"name": step[0], "subtasks": by_status} for step, by_status in zip(steps, counts, strict=True)],
        "startTime": ACCEPTED,
        "status": "FAILED",
        "subtasks": [
            {name: one[name] for name in ("description", "id", "name", "operation", "status")}
            for one in subtasks(STOP, 2, first, **PREPARED)
        ],
    }


async def test_row_14_tasks(api: Api) -> None:
    answer = await ask(api, "GET", f"{TASKS}?status=FAILED,SUCCESSFUL&name=stop&type=MANUAL&page=2&size=2&sort=id,desc")
    page = {"number": 2, "size": 2, "totalElements": 4, "totalPages": 2}
    assert_sent(answer, {"contents": [basic(2, 9), basic(1, 1)], "page": page})


async def test_row_15_a_task(api: Api) -> None:
    answer = await ask(api, "GET", f"{TASKS}/1")
    assert_sent(answer, wrapped(1, standing(STOP, 2, 1, **PREPARED)))


async def test_row_16_retry_of_a_task(api: Api) -> None:
    answer = await ask(api, "POST", f"{TASKS}/1/retry")
    retried = PREPARED["s1"] | {"operation": "RETRY", "runTime": 2, "status": "READY"}
    found = standing(STOP, 2, 1, s0=PREPARED["s0"], s1=retried)
    # As in OCP, finishTime says when it ended before, until it ends again.
    assert_sent(answer, wrapped(1, found, operation="RETRY", status="RUNNING"))


async def test_row_18_retry_of_a_subtask(api: Api) -> None:
    answer = await ask(api, "POST", f"{TASKS}/1/subtasks/2/retry")
    retried = PREPARED["s1"] | {"operation": "RETRY", "runTime": 2, "status": "READY"}
    assert_sent(answer, standing(STOP, 2, 1, s1=retried)[1])


async def test_row_19_skip_of_a_subtask(api: Api) -> None:
    assert_sent(await ask(api, "POST", f"{TASKS}/1/subtasks/2/skip"))


async def test_row_20_cancel_of_a_subtask(api: Api) -> None:
    assert_sent(await ask(api, "POST", f"{TASKS}/{world.RUNNING}/subtasks/25/cancel"))


async def test_row_21_a_log(api: Api) -> None:
    log = (
        "############EXECUTE2021-09-03T15:01:10.9+08:00############\n"
        f"2021-09-03 15:01:10.900 ERROR 1 --- [{WORKER},{TRACE},] ocpfleet : It is held."
    )
    assert_sent(await ask(api, "GET", f"{TASKS}/1/subtasks/2/log"), {"log": log})
    assert_sent(await ask(api, "GET", f"{TASKS}/1/subtasks/3/log"), {"log": ""})


async def test_row_22_diagnosis(api: Api) -> None:
    answer = await ask(api, "POST", f"{TASKS}/1/downloadDiagnosis")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["task_info.txt", "subtask_1_1.log", "subtask_2_1.log"]
        lines = archive.read("task_info.txt").decode().splitlines()
    assert lines[:4] == ["1 SUCCESSFUL -", "2 FAILED -", "3 PENDING 1,2", "4 PENDING 3"]
    assert len(lines) == 8
