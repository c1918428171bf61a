"""The replies to the other requests about agents, field by field."""

from typing import Any

import pytest

from app.http.schemas import Reply
from app.tasks.schemas import TaskInstance
from tests.support.api import Api

HOSTS = "/api/v2/compute/hosts"
PACKAGE = "com.alipay.ocp.service.task.business"
PREPARE_RESTART = ("Prepare restart OCP agent", "obagent.PrepareRestartOcpAgentTask", 60)
PREPARE_START = ("Prepare start OCP agent", "obagent.PrepareStartOcpAgentTask", 60)
PREPARE_STOP = ("Prepare stop OCP agent", "obagent.PrepareStopOcpAgentTask", 60)
PROXY = ("Restart pos proxy", "obagent.RestartPosProxyTask", 60)
STOP_ALL = ("Stop all OCP agent processes", "obagent.StopAllOcpAgentProcessesTask", 600)
START_ALL = ("Start all OCP agent processes", "obagent.StartAllOcpAgentProcessesTask", 600)
FINISH = ("Finish OCP agent operation", "obagent.FinishOcpAgentOperationTask", 60)
WAIT = ("Wait node", "WaitNode", 30)

ONE = [
    ("stop", "Stop OCP agent", [PREPARE_STOP, STOP_ALL, FINISH]),
    ("restart", "Restart OCP agent", [PREPARE_RESTART, PROXY, STOP_ALL, START_ALL, FINISH]),
    ("start", "Start OCP agent", [PREPARE_START, START_ALL, FINISH]),
]
MANY = [
    ("Stop", "Batch stop OCP agent", [PREPARE_STOP, STOP_ALL, FINISH]),
    ("Restart", "Batch restart OCP agent", [PREPARE_RESTART, PROXY, STOP_ALL, START_ALL, FINISH]),
    ("Start", "Batch start OCP agent", [PREPARE_START, START_ALL, FINISH]),
]


def subtask(number: int, step: tuple[str, str, int], index: int, up: list[int], down: list[int]) -> dict[str, Any]:
    name, class_name, timeout = step
    return {
        "className": f"{PACKAGE}.{class_name}",
        "description": name,
        "downstreams": down,
        "id": number + 1,
        "name": name,
        "nodeType": "JAVA_TASK",
        "operation": "EXECUTE",
        "parallelIdx": index,
        "prohibitRollback": False,
        "runTime": 1,
        "seriesId": number,
        "status": "PENDING" if up else "READY",
        "timeout": timeout,
        "upstreams": up,
    }


def task(name: str, context: dict[str, Any], subtasks: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    return more | {
        "context": context | {"parallel": False, "parallelIdx": -1},
        "creator": "admin",
        "executor": "10.9.8.7",
        "id": 1,
        "name": name,
        "operation": "EXECUTE",
        "startTime": "2021-09-03T15:01:10.645+08:00",
        "status": "RUNNING",
        "subtasks": subtasks,
        "taskDefinitionId": -1,
        "type": "MANUAL",
    }


def without_zone(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out the one moment, which is written in this machine's zone."""
    return document | {"startTime": None}


@pytest.mark.parametrize(("verb", "name", "steps"), ONE)
async def test_one_host(api: Api, verb: str, name: str, steps: list[tuple[str, str, int]]) -> None:
    answer = await api.client.post(f"{HOSTS}/2/agent/{verb}")

    assert answer.status_code == 200, answer.text
    last = len(steps)
    row = [
        subtask(number, step, -1, [number] if number else [], [number + 2] if number + 1 < last else [])
        for number, step in enumerate(steps)
    ]
    context = {"listMap": {}, "stringMap": {"host_id": "2", "prohibit_rollback": "false"}}
    assert without_zone(answer.json()["data"]) == without_zone(task(name, context, row, hostId=2))
    assert list(answer.json()["data"]) == sorted(answer.json()["data"])
    Reply[TaskInstance].model_validate_json(answer.content, strict=False)
    assert await api.store.tasks.host_ids(1) == (2,)
    assert [submitted.id for submitted in api.dispatcher.submitted] == [1]


@pytest.mark.parametrize(("verb", "name", "steps"), MANY)
@pytest.mark.parametrize("hosts", [[2], [1002, 2, 1001]])
async def test_many_hosts(api: Api, verb: str, name: str, steps: list[tuple[str, str, int]], hosts: list[int]) -> None:
    answer = await api.client.post(f"{HOSTS}/batch{verb}Agents", json={"hostIds": hosts})

    assert answer.status_code == 200, answer.text
    every = [one for step in steps for one in (WAIT, step)][1:]
    series: list[range] = []
    for step in every:
        first = series[-1].stop if series else 0
        series.append(range(first, first + (1 if step is WAIT else len(hosts))))
    ids = [[number + 1 for number in numbers] for numbers in series]
    expected = [
        subtask(number, step, -1 if step is WAIT else index, up, down)
        for step, numbers, up, down in zip(every, series, [[], *ids], [*ids[1:], []], strict=False)
        for index, number in enumerate(numbers)
    ]
    context = {"listMap": {"host_ids": list(map(str, hosts))}, "stringMap": {"prohibit_rollback": "false"}}
    assert without_zone(answer.json()["data"]) == without_zone(task(name, context, expected))
    Reply[TaskInstance].model_validate_json(answer.content, strict=False)


async def test_the_task_of_one_host_as_it_stands_has_no_parallel_index_either(api: Api) -> None:
    await api.client.post(f"{HOSTS}/2/agent/restart")
    found = (await api.client.get("/api/v2/tasks/instances/1")).json()["data"]
    assert [subtask["parallelIdx"] for subtask in found["subtasks"]] == [-1] * 5


@pytest.mark.parametrize("verb", ["stop", "restart", "start"])
async def test_a_host_that_there_is_not(api: Api, verb: str) -> None:
    answer = await api.client.post(f"{HOSTS}/999/agent/{verb}")

    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "code": 10002,
        "message": (
            "hostId: not in the inventory: 999. List the hosts with GET /api/v2/compute/hosts, "
            "or import the missing ones with `ocpfleet hosts import FILE`."
        ),
    }
    assert api.dispatcher.submitted == []


@pytest.mark.parametrize("host_id", ["0", "-1", "x", "1.5", str(2**63)])
async def test_a_host_id_that_is_none(api: Api, host_id: str) -> None:
    answer = await api.client.post(f"{HOSTS}/{host_id}/agent/restart")

    assert answer.status_code == 400
    assert answer.json()["error"]["subErrors"][0]["field"] == "hostId"


@pytest.mark.parametrize("verb", ["Restart", "Start"])
async def test_bodies_are_checked_as_those_of_a_stop(api: Api, verb: str) -> None:
    path = f"{HOSTS}/batch{verb}Agents"
    assert (await api.client.post(path, json={"hostIds": []})).status_code == 400
    assert (await api.client.post(path, json={"hostIds": [999]})).status_code == 404
    assert (await api.client.post(path, content="[2]")).status_code == 415
    misspelt = await api.client.post(path, json={"hostids": [2]})
    assert "It is called hostIds." in misspelt.json()["error"]["message"]
