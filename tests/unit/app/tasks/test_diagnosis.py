"""The archive of all that is known of a task."""

import io
import tracemalloc
from zipfile import ZipFile

from app.tasks.diagnosis import write_archive
from core.claim import Worker
from core.transition import Failed, Succeeded
from infra.store.task_values import ClaimRequest
from infra.store.values import CHUNK
from tests.support.api import NOW, Api, entry
from tests.support.records import run_log

WORKER = Worker(1, "w")


async def run_prepares(api: Api, task_id: int, *, bad: int | None = None) -> None:
    task = await api.store.tasks.head(task_id)
    assert task is not None
    step = task.plan.steps[0]
    while True:
        _, claims = await api.store.tasks.advance(task, step, WORKER, NOW, claim=ClaimRequest(CHUNK))
        if not claims.granted:
            return
        settled = [
            (Failed if claim.series_id == bad else Succeeded)(claim.series_id, claim.token, run_log(1, "looked"))
            for claim in claims.granted
        ]
        await api.store.tasks.advance(task, step, WORKER, NOW, settled=settled)


async def test_an_archive_holds_the_order_and_every_log(api: Api) -> None:
    accepted = (await api.stop([1001, 1002])).json()["data"]
    ids = [subtask["id"] for subtask in accepted["subtasks"]]
    await run_prepares(api, accepted["id"], bad=1)
    answer = await api.client.post(f"/api/v2/tasks/instances/{accepted['id']}/downloadDiagnosis")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="task_{accepted["id"]}_diagnosis.zip"'
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["task_info.txt", f"subtask_{ids[0]}_1.log", f"subtask_{ids[1]}_1.log"]
        assert archive.read("task_info.txt").decode().splitlines() == [
            f"{ids[0]} SUCCESSFUL -",
            f"{ids[1]} FAILED -",
            f"{ids[2]} PENDING {ids[0]},{ids[1]}",
            f"{ids[3]} PENDING {ids[2]}",
            f"{ids[4]} PENDING {ids[2]}",
            f"{ids[5]} PENDING {ids[3]},{ids[4]}",
            f"{ids[6]} PENDING {ids[5]}",
            f"{ids[7]} PENDING {ids[5]}",
        ]
        shown = (await api.client.get(f"/api/v2/tasks/instances/{accepted['id']}/subtasks/{ids[1]}/log")).json()
        assert archive.read(f"subtask_{ids[1]}_1.log").decode() == shown["data"]["log"] + "\n"


async def test_an_archive_of_many_hosts_is_never_in_memory_as_a_whole(api: Api) -> None:
    await api.store.hosts.put([entry(number) for number in range(1, 3001)], NOW)
    task_id = (await api.stop(range(1, 3001))).json()["data"]["id"]
    await run_prepares(api, task_id)
    task = await api.store.tasks.head(task_id)
    assert task is not None
    stored = await api.store.tasks.subtasks(task)
    tracemalloc.start()
    size = sum([len(piece) async for piece in write_archive(task, stored, api.store.tasks.every_log(task))])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"3,000 logs: {size} bytes, {peak} bytes of memory at the most")
    assert peak < 12_000_000


async def test_there_is_no_archive_of_a_task_that_does_not_exist(api: Api) -> None:
    answer = await api.client.post("/api/v2/tasks/instances/999/downloadDiagnosis")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 20000)
