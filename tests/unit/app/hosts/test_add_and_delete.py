"""Hosts are added, listed by conditions, and deleted: whole bodies, and every way in which the answer is no."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from app.hosts.schemas import Host, PreparingTasks
from app.http.schemas import Reply
from app.http.wire import format_seconds, format_time
from core.claim import require_host_claims
from core.host import STOPPING
from core.lease import Lease, Leased
from infra.store.task_values import TaskQuery
from tests.support.api import NO_BROKER, NOW, Api
from tests.support.records import claim_step

if TYPE_CHECKING:
    import httpx

HOSTS = "/api/v2/compute/hosts"
BODY: dict[str, Any] = {
    "hostBasicDataList": [
        {"innerIpAddress": "10.7.0.1", "serialNumber": "6CU4120W67"},
        {"innerIpAddress": "fd00:0::7"},
    ],
    "sshPort": 2222,
    "kind": "DEDICATED_CONTAINER",
    "publishPorts": ["8080:8080", "8090:8090"],
    "idcId": 100,
    "typeId": 2**62,
    "credentialId": 1001,
    "description": "Test server",
}
ONE = BODY | {"hostBasicDataList": BODY["hostBasicDataList"][:1], "alias": "Server 1"}


async def add(api: Api, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await api.client.post(f"{HOSTS}/batchCreate", json=body, headers=headers)


def subtask(task: int, number: int, name: str, class_name: str, timeout: int) -> dict[str, Any]:
    first = 3 * (task - 1) + 1
    return {
        "className": f"com.alipay.ocp.service.task.business.host.{class_name}",
        "description": name,
        "downstreams": [] if number == 2 else [first + number + 1],
        "id": first + number,
        "name": name,
        "nodeType": "JAVA_TASK",
        "operation": "EXECUTE",
        "parallelIdx": -1,
        "prohibitRollback": False,
        "runTime": 1,
        "seriesId": number,
        "status": "PENDING" if number else "READY",
        "timeout": timeout,
        "upstreams": [first + number - 1] if number else [],
    }


def task(number: int, host_id: int) -> dict[str, Any]:
    return {
        "context": {
            "listMap": {},
            "parallel": False,
            "parallelIdx": -1,
            "stringMap": {"host_id": str(host_id), "prohibit_rollback": "false"},
        },
        "creator": "admin",
        "executor": "10.9.8.7",
        "hostId": host_id,
        "id": number,
        "name": "Prepare host",
        "operation": "EXECUTE",
        "startTime": format_time(NOW),
        "status": "RUNNING",
        "subtasks": [
            subtask(number, 0, "Pre check for create host", "PreCheckTask", 1800),
            subtask(number, 1, "Find OCP agent", "FindOcpAgentTask", 600),
            subtask(number, 2, "Update host status", "UpdateHostStatusTask", 1800),
        ],
        "taskDefinitionId": -1,
        "type": "MANUAL",
    }


async def test_two_hosts_are_added_and_each_gets_its_task(api: Api) -> None:
    answer = await add(api, BODY)

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {"contents": [task(1, 1003), task(2, 1004)]}
    Reply[PreparingTasks].model_validate_json(answer.content, strict=False)
    assert [submitted.id for submitted in api.dispatcher.submitted] == [1, 2]
    assert "idempotency-replayed" not in answer.headers

    host = await api.client.get(f"{HOSTS}/1003")
    Reply[Host].model_validate_json(host.content, strict=False)
    assert {name: value for name, value in host.json()["data"].items() if value is not None} == {
        "agentHome": "/home/admin/ocp_agent",
        "agentPrefix": "ocp",
        "createTime": format_seconds(NOW),
        "description": "Test server",
        "hostAgentStatus": "DELETED",
        "id": 1003,
        "idcId": 100,
        "innerIpAddress": "10.7.0.1",
        "kind": "DEDICATED_CONTAINER",
        "protected": False,
        "publishPorts": "8080:8080,8090:8090",
        "serialNumber": "6CU4120W67",
        "services": [],
        "sshPort": 2222,
        "sshUser": "admin",
        "status": "NEW",
        "sudo": False,
        "typeId": str(2**62),
        "updateTime": format_seconds(NOW),
    }
    other = (await api.client.get(f"{HOSTS}/1004")).json()["data"]
    assert (other["innerIpAddress"], other["serialNumber"]) == ("fd00::7", None)
    entry = (await api.client.get("/api/v2/audit")).json()["data"]["contents"][0]
    assert entry["fields"] == {"innerIpAddress": "10.7.0.1, fd00::7", "hostIds": "1003, 1004", "taskIds": "1, 2"}


async def test_an_alias_and_a_port_mapping_as_one_text(api: Api) -> None:
    await add(api, ONE | {"publishPorts": "8080:8080,8090:8090"})
    host = (await api.client.get(f"{HOSTS}/1003")).json()["data"]
    assert (host["alias"], host["publishPorts"]) == ("Server 1", "8080:8080,8090:8090")


async def test_an_address_written_as_one_of_ipv6_is_what_it_stands_for(api: Api) -> None:
    await add(api, ONE | {"hostBasicDataList": [{"innerIpAddress": "::ffff:10.7.0.1"}]})
    assert (await api.client.get(f"{HOSTS}/1003")).json()["data"]["innerIpAddress"] == "10.7.0.1"


async def test_what_is_wrong_with_a_body_is_said_in_chinese(api: Api) -> None:
    answer = await add(api, ONE | {"sshPort": "22"}, **{"Accept-Language": "zh-CN"})
    assert answer.json()["error"]["message"] == 'sshPort："22" 不是整数。请填写十进制数字，例如 1001。'


async def test_asked_twice_with_a_key_it_is_the_same_request(api: Api) -> None:
    answers = await asyncio.gather(*(add(api, BODY, **{"Idempotency-Key": "k"}) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 4
    assert all(answer.json()["data"] == answers[0].json()["data"] for answer in answers)
    assert (await api.store.tasks.page(TaskQuery(), NOW)).total == 2
    other = await add(api, BODY | {"sshPort": 22}, **{"Idempotency-Key": "k"})
    assert other.status_code == 409


async def test_a_host_that_is_there_and_an_alias_that_is_taken(api: Api) -> None:
    await add(api, ONE)
    again = await add(
        api, BODY | {"hostBasicDataList": [{"innerIpAddress": "10.7.0.2"}, {"innerIpAddress": "10.7.0.1"}]}
    )
    assert again.status_code == 409
    assert again.json()["error"]["message"] == (
        "hostBasicDataList[1].innerIpAddress: 10.7.0.1:2222 with the agent in /home/admin/ocp_agent is already in the "
        "inventory, as host 1003. No host was added."
    )
    taken = await add(api, ONE | {"hostBasicDataList": [{"innerIpAddress": "10.7.0.2"}]})
    assert taken.status_code == 409
    assert taken.json()["error"]["message"] == "alias: host 1003 already has the alias Server 1. Aliases are unique."
    assert (await api.store.hosts.page(0, 1)).total == 4
    assert (await api.store.tasks.page(TaskQuery(), NOW)).total == 1


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in BODY.items() if field != name}


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        (without("sshPort"), "sshPort", "sshPort is missing."),
        (without("credentialId"), "credentialId", "credentialId is missing."),
        (
            without("publishPorts"),
            "publishPorts",
            "publishPorts is missing. A container needs its port mapping",
        ),
        (
            BODY | {"hostBasicDataList": []},
            "hostBasicDataList",
            "hostBasicDataList: […] is empty. Write at least one.",
        ),
        (
            BODY | {"hostBasicDataList": [{}]},
            "hostBasicDataList[0].innerIpAddress",
            "hostBasicDataList[0].innerIpAddress is",
        ),
        (
            BODY | {"hostBasicDataList": [{"innerIpAddress": "web-1"}]},
            "hostBasicDataList[0].innerIpAddress",
            'hostBasicDataList[0].innerIpAddress: "web-1" is not the IP address of a host. Write',
        ),
        (
            BODY | {"hostBasicDataList": [{"innerIpAddress": "10.7.0.1"}] * 2},
            "hostBasicDataList[1].innerIpAddress",
            "hostBasicDataList[1].innerIpAddress: 10.7.0.1 is the same host as hostBasicDataList[0]. Name each host",
        ),
        (
            BODY | {"hostBasicDataList": [{"innerIpAddress": f"10.8.0.{number}"} for number in range(201)]},
            "hostBasicDataList",
            "hostBasicDataList has 201 entries, more than the 200 allowed. Send several requests.",
        ),
        (BODY | {"alias": "web"}, "alias", "alias: web cannot be the alias of 2 hosts."),
        (
            BODY | {"hostBasicDataList": [{"innerIpAddress": "0.0.0.0"}]},
            "hostBasicDataList[0].innerIpAddress",
            'hostBasicDataList[0].innerIpAddress: "0.0.0.0" is not the IP address of a host.',
        ),
        (BODY | {"hostBasicDataList": "10.7.0.1"}, "hostBasicDataList", 'hostBasicDataList: "10.7.0.1" is not a list.'),
        (BODY | {"hostBasicDataList": [7]}, "hostBasicDataList[0]", "hostBasicDataList[0]: 7 is not an object."),
        (ONE | {"alias": "a\nb"}, "alias", 'alias: "a\\nb" is not printable. Write printable characters only.'),
        (ONE | {"alias": 7}, "alias", "alias: 7 is not a string. Write a JSON string."),
        (BODY | {"sshPort": 65536}, "sshPort", "sshPort: 65536 is too large. Write a whole number of at most 65535."),
        (BODY | {"sshPort": "22"}, "sshPort", 'sshPort: "22" is not a whole number. Write decimal digits, such as'),
        (
            BODY | {"kind": "ROBOT"},
            "kind",
            'kind: "ROBOT" is not a valid value. Write one of DEDICATED_PHYSICAL_MACHINE, DED',
        ),
        (
            BODY | {"idcId": 2**63},
            "idcId",
            f"idcId: {2**63} is too large. Write a whole number of at most {2**63 - 1}.",
        ),
        (
            BODY | {"publishPorts": "8" * 129},
            "publishPorts",
            f'publishPorts: "{"8" * 79}… is too long. Write at most 128',
        ),
        (BODY | {"publishPorts": [8]}, "publishPorts", "publishPorts: […] is not a string."),
        (BODY | {"hostname": "x"}, "hostname", "hostname: there is no such field."),
    ],
)
async def test_a_body_that_can_never_be_done(api: Api, body: dict[str, Any], field: str, said: str) -> None:
    answer = await add(api, body)
    assert answer.status_code == 400
    fault = answer.json()["error"]["subErrors"][0]
    assert fault["field"] == field
    assert fault["message"].startswith(said)
    assert (await api.store.hosts.page(0, 1)).total == 3
    assert api.dispatcher.submitted == []


async def test_what_is_no_body_at_all(api: Api) -> None:
    path = f"{HOSTS}/batchCreate"
    json = {"Content-Type": "application/json"}
    assert (await api.client.post(path, content="{}")).status_code == 415
    assert (await api.client.post(path, content="{", headers=json)).status_code == 400
    assert (await api.client.post(path, content="[1]", headers=json)).status_code == 400
    assert (await api.client.post(path, content=b" " * 300_000, headers=json)).status_code == 413


async def test_hosts_are_added_while_the_broker_is_away(api: Api) -> None:
    api.dispatcher.fault = NO_BROKER
    answer = await add(api, BODY, **{"Idempotency-Key": "k"})
    assert answer.status_code == 200
    assert (await api.store.hosts.page(0, 1)).total == 5
    assert (await api.store.tasks.page(TaskQuery(), NOW)).total == 2
    api.dispatcher.fault = None
    again = await add(api, BODY, **{"Idempotency-Key": "k"})
    assert again.json()["data"] == answer.json()["data"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_one_host_is_deleted(api: Api) -> None:
    await add(api, ONE)
    answer = await api.client.delete(f"{HOSTS}/1003")
    assert answer.status_code == 200
    assert sorted(answer.json()) == ["duration", "server", "status", "successful", "timestamp", "traceId"]
    gone = await api.client.delete(f"{HOSTS}/1003")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, 10002)
    assert (await add(api, ONE)).status_code == 200, "it can be added anew"


async def test_several_hosts_are_deleted_or_none(api: Api) -> None:
    missing = await api.client.post(f"{HOSTS}/batchDelete", json={"hostIdList": [2, 77]})
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, 10002)
    assert missing.json()["error"]["message"].startswith("hostIdList: not in the inventory: 77.")

    task_id = (await api.stop([1001])).json()["data"]["id"]
    record = await api.store.tasks.head(task_id)
    assert record is not None
    await api.store.tasks.take_hosts(require_host_claims(await claim_step(api.store, record, 0)), NOW, STOPPING)
    for answer in (
        await api.client.post(f"{HOSTS}/batchDelete", json={"hostIdList": [1002, 2, 1001]}),
        await api.client.delete(f"{HOSTS}/1001"),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"] == {
            "code": 40000,
            "message": (
                f"Host 1001 is held by task {task_id}, so nothing was done. Wait for that task to end, or see "
                f"GET /api/v2/tasks/instances/{task_id} for what it needs."
            ),
        }
    assert (await api.store.hosts.page(0, 1)).total == 3
    assert await api.store.hosts.lease((2, 1002), Lease("mine", "to test", 1000)) == Leased(), "no lease is left"
    await api.store.hosts.release((2, 1002), "mine")

    done = await api.client.post(f"{HOSTS}/batchDelete", json={"hostIdList": [1002, 2, 2]})
    assert done.status_code == 200
    assert "data" not in done.json()
    assert [host.target.host_id for host in (await api.store.hosts.page(0, 9)).items] == [1001]


async def test_a_host_on_which_a_request_works_is_not_deleted(api: Api) -> None:
    await api.store.hosts.lease((2,), Lease("other", "to stop process monagent of its agent", 30_000))
    answer = await api.client.delete(f"{HOSTS}/2")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 40000)
    assert (
        "is working on host 2 to stop process monagent of its agent. It ends within"
        in answer.json()["error"]["message"]
    )


async def test_more_hosts_are_deleted_than_one_call_takes(api: Api) -> None:
    body = BODY | {
        "hostBasicDataList": [{"innerIpAddress": f"10.8.{number // 250}.{number % 250}"} for number in range(200)]
    }
    for port in (22, 23):
        assert (await add(api, body | {"sshPort": port})).status_code == 200
    answer = await api.client.post(f"{HOSTS}/batchDelete", json={"hostIdList": list(range(1003, 1403))})
    assert answer.status_code == 200, answer.text
    assert (await api.store.hosts.page(0, 1)).total == 3


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [2, 1001, 1002, 1003]),
        ("sort=id,desc", [1003, 1002, 1001, 2]),
        ("status=NEW", [1003]),
        ("status=NEW,ONLINE&sort=id,desc&size=2", [1003, 1002]),
        ("status=NEW&status=OFFLINE", [1003]),
        ("status=DELETING", []),
        ("keyword=SERVER", [1003]),
        ("keyword=10.0.3.", [1001, 1002]),
        ("keyword=6cu4", [1003]),
        ("includedServiceType=OCP_AGENT", [2, 1001, 1002]),
        ("includedServiceType=OB_CLUSTER,OCP_AGENT&keyword=10.0.0", [2]),
        ("includedServiceType=OB_CLUSTER", []),
        ("excludedServiceType=OCP_AGENT", [1003]),
        ("excludedServiceType=OMS", [2, 1001, 1002, 1003]),
        ("includedServiceType=OCP_AGENT&excludedServiceType=OCP_AGENT", []),
    ],
)
async def test_lists_by_conditions(api: Api, query: str, ids: list[int]) -> None:
    await add(api, ONE)
    answer = await api.client.get(f"{HOSTS}?{query}")
    assert answer.status_code == 200, answer.text
    assert [host["id"] for host in answer.json()["data"]["contents"]] == ids
