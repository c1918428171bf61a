"""The list of tasks: filters, pages, what it shows of large tasks, and what it refuses."""

from typing import Any

import pytest

from app.http.schemas import Reply
from app.http.wire import format_time
from app.tasks.schemas import TaskPage
from core.claim import Worker
from core.transition import Failed
from infra.store.task_values import ClaimRequest
from tests.support.api import NOW, Api, entry
from tests.support.records import run_log

LIST = "/api/v2/tasks/instances"
WORKER = Worker(1, "w")


async def listed(api: Api, query: str = "") -> dict[str, Any]:
    answer = await api.client.get(f"{LIST}{query}")
    assert answer.status_code == 200, answer.text
    Reply[TaskPage].model_validate_json(answer.content, strict=False)
    data: dict[str, Any] = answer.json()["data"]
    return data


async def ids(api: Api, query: str) -> list[int]:
    return [task["id"] for task in (await listed(api, query))["contents"]]


async def fail(api: Api, task_id: int) -> None:
    task = await api.store.tasks.head(task_id)
    assert task is not None
    step = task.plan.steps[0]
    _, claims = await api.store.tasks.advance(task, step, WORKER, NOW, claim=ClaimRequest(500))
    bad = [Failed(claim.series_id, claim.token, run_log()) for claim in claims.granted]
    await api.store.tasks.advance(task, step, WORKER, NOW + 2000, settled=bad)


async def test_a_listed_task(api: Api) -> None:
    first = (await api.stop([1001])).json()["data"]
    await fail(api, first["id"])
    data = await listed(api)
    assert data["page"] == {"number": 1, "size": 10, "totalElements": 1, "totalPages": 1}
    names = [subtask["name"] for subtask in first["subtasks"]]
    assert data["contents"] == [
        {
            "creator": {"id": 100, "name": "admin"},
            "finishTime": format_time(NOW + 2000),
            "id": first["id"],
            "name": "Batch stop OCP agent",
            "progress": [
                {"name": name, "subtasks": {"PENDING" if place else "FAILED": 1}} for place, name in enumerate(names)
            ],
            "startTime": format_time(NOW),
            "status": "FAILED",
            "subtasks": [
                {
                    "description": name,
                    "id": first["subtasks"][place]["id"],
                    "name": name,
                    "operation": "EXECUTE",
                    "status": "PENDING" if place else "FAILED",
                }
                for place, name in enumerate(names)
            ],
        }
    ]
    assert list(data["contents"][0]) == sorted(data["contents"][0])


async def test_filters_pages_and_order(api: Api) -> None:
    made = [(await api.stop([1001])).json()["data"]["id"] for _ in range(12)]
    await fail(api, made[3])
    newest_first = made[::-1]
    assert await ids(api, "") == newest_first[:10]
    assert await ids(api, "?page=2") == newest_first[10:]
    assert await ids(api, "?page=3") == []
    assert await ids(api, "?sort=id,asc&size=3&page=2") == made[3:6]
    assert await ids(api, "?status=FAILED") == [made[3]]
    assert await ids(api, "?status=FAILED,SUCCESSFUL&type=MANUAL") == [made[3]]
    assert await ids(api, "?status=FAILED&status=SUCCESSFUL") == [made[3]]
    assert await ids(api, "?type=SCHEDULED") == []
    assert len(await ids(api, "?name=STOP%20ocp&creator=admin&size=2000")) == 12
    assert await ids(api, "?name=restart") == []
    assert await ids(api, "?creator=nobody") == []
    assert await ids(api, "?hostId=1001") == [], "a batch is about no single host"
    assert (await listed(api, "?name=restart"))["page"]["totalElements"] == 0


async def test_subtasks_of_large_tasks_and_on_large_pages_are_left_out(api: Api) -> None:
    await api.store.hosts.put([entry(number) for number in range(1, 102)], NOW)
    await api.stop(range(1, 101))
    await api.stop(range(1, 102))
    larger, smaller = (await listed(api))["contents"]
    assert len(smaller["subtasks"]) == 302
    assert "subtasks" not in larger
    assert larger["progress"][0] == {"name": "Prepare stop OCP agent", "subtasks": {"READY": 101}}
    assert not any("subtasks" in task for task in (await listed(api, "?size=101"))["contents"])


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("?clusterId=1", "clusterId", "has no such parameter"),
        ("?Name=x", "Name", "has no such parameter"),
        ("?status=DONE", "status", "Write RUNNING, FAILED, SUCCESSFUL"),
        ("?status=", "status", "Write RUNNING"),
        ("?type=AUTO", "type", "SYS_ONECE"),
        ("?sort=name", "sort", "Write id,asc or id,desc"),
        ("?size=2001", "size", "too large"),
        ("?page=0", "page", "too small"),
        ("?hostId=x", "hostId", "not a whole number"),
    ],
)
async def test_what_a_list_cannot_do_is_refused(api: Api, query: str, field: str, says: str) -> None:
    answer = await api.client.get(f"{LIST}{query}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["subErrors"][0]["field"] == field
    assert says in error["message"]


async def test_a_page_past_any_number_is_empty(api: Api) -> None:
    await api.stop([1001])
    assert (await listed(api, "?page=4611686018427387&size=2000"))["contents"] == []
