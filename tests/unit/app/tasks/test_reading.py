"""Looking at tasks, logs and hosts."""

import re

from app.hosts.schemas import Host, HostPage
from app.http.schemas import Reply
from app.http.wire import format_id, format_ids, format_seconds, format_time
from app.tasks.schemas import Log, WrappedTaskInstance
from core.claim import Worker, require_host_claims
from core.host import STOPPING
from core.journal import Level, Line, RunLog
from core.status import Operation
from core.transition import Failed, Settled, Succeeded
from infra.store.task_values import ClaimRequest, Course, OpenLog
from tests.support.api import KEY, NOW, Api, entry

WORKER = Worker(1, "worker-1@fleet")


async def prepared(api: Api) -> tuple[int, list[int]]:
    """Make a task of two hosts; one of its Prepares succeeds, the other fails. Return its id and its subtasks' ids."""
    accepted = (await api.stop([1001, 1002])).json()["data"]
    task = await api.store.tasks.head(accepted["id"])
    assert task is not None
    step = task.plan.steps[0]
    _, claims = await api.store.tasks.advance(task, step, WORKER, NOW + 100, claim=ClaimRequest(limit=10))
    first, second = claims.granted
    await api.store.tasks.take_hosts(require_host_claims([first]), NOW + 110, STOPPING)
    good = RunLog(
        Operation.EXECUTE, 1, WORKER.name, (Line(NOW + 100, Level.INFO, "$ true"), Line(NOW + 110, Level.INFO, "ok"))
    )
    bad = RunLog(
        Operation.EXECUTE,
        1,
        WORKER.name,
        (
            Line(NOW + 100, Level.INFO, "stdout: one\n############EXECUTEnow############"),
            Line(NOW + 255, Level.ERROR, "no"),
        ),
    )
    settled: list[Settled] = [
        Succeeded(first.series_id, first.token, good),
        Failed(second.series_id, second.token, bad),
    ]
    await api.store.tasks.advance(task, step, WORKER, NOW + 255, settled=settled)
    return task.id, [subtask["id"] for subtask in accepted["subtasks"]]


async def test_a_task_as_it_stands(api: Api) -> None:
    task_id, ids = await prepared(api)
    answer = await api.client.get(f"/api/v2/tasks/instances/{task_id}")
    Reply[WrappedTaskInstance].model_validate_json(answer.content, strict=False)
    task = answer.json()["data"]
    assert list(task) == sorted(task)
    subtasks = task.pop("subtasks")
    assert task == {
        "createTime": format_seconds(NOW),
        "creator": {"id": 100, "name": "admin"},
        "executor": "10.9.8.7",
        "finishTime": format_time(NOW + 255),
        "id": task_id,
        "name": "Batch stop OCP agent",
        "operation": "EXECUTE",
        "prohibitRollback": False,
        "startTime": format_time(NOW),
        "status": "FAILED",
        "taskDefinitionId": -1,
        "type": "MANUAL",
    }
    assert [subtask["id"] for subtask in subtasks] == ids
    assert all(list(subtask) == sorted(subtask) for subtask in subtasks)
    assert subtasks[1] == {
        "description": "Prepare stop OCP agent",
        "downstreams": [ids[2]],
        "executor": "worker-1@fleet",
        "finishTime": format_time(NOW + 255),
        "id": ids[1],
        "name": "Prepare stop OCP agent",
        "nodeType": "JAVA_TASK",
        "operation": "EXECUTE",
        "parallelIdx": 1,
        "prohibitRollback": False,
        "runTime": 1,
        "seriesId": 1,
        "startTime": format_time(NOW + 100),
        "status": "FAILED",
        "timeout": 60,
        "upstreams": [],
    }
    assert [subtask["status"] for subtask in subtasks] == ["SUCCESSFUL", "FAILED", *["PENDING"] * 6]
    assert not {"executor", "startTime", "finishTime", "className"} & subtasks[2].keys()


async def test_the_log_of_a_subtask(api: Api) -> None:
    task_id, ids = await prepared(api)
    answer = await api.client.get(f"/api/v2/tasks/instances/{task_id}/subtasks/{ids[1]}/log")
    Reply[Log].model_validate_json(answer.content)
    separator, *lines = answer.json()["data"]["log"].split("\n")
    trace_id = lines[0].split(",")[1]
    assert separator == f"############EXECUTE{format_time(NOW + 100)}############"
    assert [re.sub(r"^[\d-]{10} [\d:]{8}\.\d{3} ", "", line) for line in lines] == [
        f" INFO 1 --- [worker-1@fleet,{trace_id},] ocpfleet : stdout: one",
        "    ############EXECUTEnow############",
        f"ERROR 1 --- [worker-1@fleet,{trace_id},] ocpfleet : no",
    ]


async def test_a_subtask_that_has_not_run_has_an_empty_log(api: Api) -> None:
    task_id, ids = await prepared(api)
    answer = await api.client.get(f"/api/v2/tasks/instances/{task_id}/subtasks/{ids[2]}/log")
    assert (answer.status_code, answer.json()["data"]) == (200, {"log": ""})


async def test_the_log_of_one_run(api: Api) -> None:
    task_id, ids = await prepared(api)
    path = f"/api/v2/tasks/instances/{task_id}/subtasks/{ids[1]}/log"
    assert (await api.client.get(f"{path}?runTime=1")).json()["data"] == (await api.client.get(path)).json()["data"]
    missing = await api.client.get(f"{path}?runTime=2")
    assert (missing.status_code, missing.json()["error"]) == (
        404,
        {
            "code": 20000,
            "message": f"runTime: subtask {ids[1]} has no log of run 2. Runs with a log: 1. "
            "A run has a log once it has gone on for a few seconds or is over.",
        },
    )
    assert (await api.client.get(f"{path}?runTime=0")).status_code == 400


async def test_the_log_of_a_run_that_goes_on(api: Api) -> None:
    task_id, ids = await prepared(api)
    path = f"/api/v2/tasks/instances/{task_id}/subtasks/{ids[1]}/log"
    over = (await api.client.get(path)).json()["data"]["log"]
    task = await api.store.tasks.head(task_id)
    assert task is not None
    await api.store.tasks.change_course(task, Course.RETRY, NOW + 300)
    step = task.plan.steps[0]
    _, claims = await api.store.tasks.advance(task, step, WORKER, NOW + 400, claim=ClaimRequest(1))
    (claim,) = claims.granted
    assert (await api.client.get(path)).json()["data"]["log"] == over
    assert (await api.client.get(f"{path}?runTime=2")).status_code == 404

    lines: tuple[Line, ...] = ()
    for at, text in enumerate(("$ one", "exit status 0", "$ two")):
        lines = (*lines, Line(NOW + 400 + at, Level.INFO, text))
        so_far = RunLog(claim.operation, claim.run_time, WORKER.name, lines, closed=False)
        await api.store.tasks.note_logs([OpenLog(claim.key, so_far)])
        answer = await api.client.get(f"{path}?runTime=2")
        Reply[Log].model_validate_json(answer.content)
        separator, *rows = answer.json()["data"]["log"].split("\n")
        assert separator == f"############RETRY{format_time(NOW + 400)}############"
        assert [row.partition(" : ")[2] for row in rows] == [line.text for line in lines]
        assert "etag" not in answer.headers
        assert (await api.client.get(path)).json()["data"]["log"] == "\n".join((over, separator, *rows))

    whole = RunLog(claim.operation, claim.run_time, WORKER.name, (*lines, Line(NOW + 500, Level.INFO, "done")))
    settled = [Succeeded(claim.series_id, claim.token, whole)]
    await api.store.tasks.advance(task, step, WORKER, NOW + 500, settled=settled)
    rows = (await api.client.get(f"{path}?runTime=2")).json()["data"]["log"].split("\n")
    assert [row.partition(" : ")[2] for row in rows[1:]] == ["$ one", "exit status 0", "$ two", "done"]


async def test_a_log_is_under_the_trace_id_of_the_request_that_made_the_task(api: Api) -> None:
    answer = await api.stop([1001, 1002], headers={"x-trace-id": "my-trace_1"})
    assert answer.json()["traceId"] == "my-trace_1"
    task = await api.store.tasks.head(answer.json()["data"]["id"])
    assert task is not None
    assert task.trace_id == "my-trace_1"


async def test_a_host(api: Api) -> None:
    await api.store.hosts.put([entry(7, "seven", KEY)], NOW)
    answer = await api.client.get("/api/v2/compute/hosts/7")
    Reply[Host].model_validate_json(answer.content, strict=False)
    host = answer.json()["data"]
    assert list(host) == sorted(host)
    unknown = {"architecture", "description", "hostAgentVersion", "name", "operatingSystem"}
    unknown |= {"operatingSystemRelease", "publishPorts", "serialNumber", "holderTaskId"}
    unknown |= {f"{kind}{part}" for kind in ("idc", "region", "type") for part in ("Id", "Name", "Description")}
    assert {name for name, value in host.items() if value is None} == unknown
    assert {name: value for name, value in host.items() if value is not None} == {
        "agentHome": "/home/admin/ocp_agent",
        "agentPrefix": "ocp",
        "alias": "seven",
        "createTime": format_seconds(NOW),
        "hostAgentId": 7,
        "hostAgentStatus": "AVAILABLE",
        "hostKeyFingerprint": "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
        "id": 7,
        "innerIpAddress": "10.0.0.7",
        "kind": "DEDICATED_PHYSICAL_MACHINE",
        "protected": False,
        "services": [],
        "sshPort": 22,
        "sshUser": "admin",
        "status": "ONLINE",
        "sudo": False,
        "updateTime": format_seconds(NOW),
    }


async def test_a_host_names_the_task_that_holds_it(api: Api) -> None:
    task_id, _ = await prepared(api)
    held = (await api.client.get("/api/v2/compute/hosts/1001")).json()["data"]
    free = (await api.client.get("/api/v2/compute/hosts/1002")).json()["data"]
    assert (held["holderTaskId"], held["hostAgentStatus"], held["status"]) == (task_id, "STOPPING", "OFFLINE")
    assert (free["holderTaskId"], free["hostAgentStatus"], free["status"]) == (None, "AVAILABLE", "ONLINE")


async def test_pages_of_hosts(api: Api) -> None:
    await api.store.hosts.put([entry(number) for number in range(10, 32)], 0)  # 25 with those that were there
    for query, ids, page in (
        ("", [2, *range(10, 19)], {"number": 1, "size": 10, "totalElements": 25, "totalPages": 3}),
        ("?page=3", [29, 30, 31, 1001, 1002], {"number": 3, "size": 10, "totalElements": 25, "totalPages": 3}),
        ("?page=2&size=24", [1002], {"number": 2, "size": 24, "totalElements": 25, "totalPages": 2}),
        ("?page=9", [], {"number": 9, "size": 10, "totalElements": 25, "totalPages": 3}),
        (
            "?page=4611686018427387&size=2000",
            [],
            {"number": 4611686018427387, "size": 2000, "totalElements": 25, "totalPages": 1},
        ),
    ):
        answer = await api.client.get(f"/api/v2/compute/hosts{query}")
        Reply[HostPage].model_validate_json(answer.content, strict=False)
        data = answer.json()["data"]
        assert [host["id"] for host in data["contents"]] == ids
        assert data["page"] == page


def test_times_are_written_with_an_offset_and_a_trimmed_fraction() -> None:
    offset = r"[+-]\d\d:\d\d"
    assert re.fullmatch(rf"2021-09-0[23]T\d\d:\d1:10\.645{offset}", format_time(NOW))
    assert re.fullmatch(rf".*:10\.64{offset}", format_time(NOW - 5))
    assert re.fullmatch(rf".*:10\.6{offset}", format_time(NOW - 45))
    assert re.fullmatch(rf".*:10{offset}", format_time(NOW - 645))
    assert re.fullmatch(rf".*:10\.005{offset}", format_time(NOW - 640))
    assert format_seconds(NOW) == format_time(NOW - 645)


def test_ids_beyond_what_json_readers_keep_exact_are_strings() -> None:
    edge = 2**53 - 1
    assert [format_id(edge), format_id(edge + 1), format_id(-edge), format_id(-edge - 1)] == [
        edge,
        str(edge + 1),
        -edge,
        str(-edge - 1),
    ]
    assert format_ids(range(edge - 1, edge + 2)) == [edge - 1, edge, str(edge + 1)]
    assert format_ids(range(3)) == [0, 1, 2]
