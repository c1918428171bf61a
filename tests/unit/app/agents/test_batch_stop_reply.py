"""The reply to a batch stop: the one that OCP prints for one host, and its graph for many."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.http.schemas import Reply
from app.tasks.schemas import TaskInstance
from tests.support.api import STOP, Api, entry, running_api

SEED = json.loads((Path(__file__).parents[3] / "data" / "seed-batch-stop-reply.json").read_text())
OURS_TO_CHOOSE = {"id", "seriesId", "upstreams", "downstreams"}


def graph(task: dict[str, Any]) -> dict[tuple[str, int, tuple[str, ...]], dict[str, Any]]:
    """Return the subtasks by what they are and what they wait for, without the numbers that stand for them."""
    names = {subtask["id"]: subtask["name"] for subtask in task["subtasks"]}
    return {
        (subtask["name"], subtask["parallelIdx"], tuple(names[up] for up in subtask["upstreams"])): {
            **{name: value for name, value in subtask.items() if name not in OURS_TO_CHOOSE},
            "downstream names": [names[down] for down in subtask["downstreams"]],
        }
        for subtask in task["subtasks"]
    }


def assert_sorted(document: Any) -> None:
    if isinstance(document, dict):
        assert list(document) == sorted(document)
        for value in document.values():
            assert_sorted(value)
    if isinstance(document, list):
        for value in document:
            assert_sorted(value)


async def test_one_host_gives_the_published_reply(api: Api) -> None:
    answer = await api.stop([2])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    reply = answer.json()
    assert_sorted(reply)
    task, published = reply["data"], SEED["data"]
    assert graph(task) == graph(published)
    assert sorted(subtask["seriesId"] for subtask in task["subtasks"]) == [0, 1, 2, 3, 4]
    ours = {"id", "executor", "startTime", "subtasks"}
    assert {name: value for name, value in task.items() if name not in ours} == {
        name: value for name, value in published.items() if name not in ours
    }
    assert task.keys() == published.keys()
    assert {**reply, "data": None} == {
        "data": None,
        "duration": reply["duration"],
        "server": "10.9.8.7",
        "status": 200,
        "successful": True,
        "timestamp": reply["timestamp"],
        "traceId": reply["traceId"],
    }
    assert reply.keys() == SEED.keys()
    Reply[TaskInstance].model_validate_json(answer.content, strict=False)


async def test_both_paths_answer(api: Api) -> None:
    for path in (STOP, STOP.removeprefix("/api/v2")):
        answer = await api.client.post(path, json={"hostIds": [1001]})
        assert answer.json()["data"]["context"]["listMap"]["host_ids"] == ["1001"]
    assert [task.id for task in api.dispatcher.submitted] == [1, 2]


@pytest.mark.parametrize("hosts", [1, 2, 1000, 10_000])
async def test_the_graph_of_many_hosts(hosts: int) -> None:
    async with running_api() as api:
        host_ids = [70_000 - number for number in range(hosts)]
        await api.store.hosts.put(map(entry, host_ids), 0)
        task = (await api.stop(host_ids)).json()["data"]
        assert task["context"]["listMap"]["host_ids"] == list(map(str, host_ids))
        subtasks = task["subtasks"]
        assert len(subtasks) == 3 * hosts + 2
        assert len({subtask["id"] for subtask in subtasks}) == 3 * hosts + 2
        edges = {(up, subtask["id"]) for subtask in subtasks for up in subtask["upstreams"]}
        assert len(edges) == 4 * hosts
        assert edges == {(subtask["id"], down) for subtask in subtasks for down in subtask["downstreams"]}
        steps = [subtasks[:hosts], subtasks[hosts : hosts + 1], subtasks[hosts + 1 : 2 * hosts + 1]]
        steps += [subtasks[2 * hosts + 1 : 2 * hosts + 2], subtasks[2 * hosts + 2 :]]
        assert [step[0]["timeout"] for step in steps] == [60, 30, 600, 30, 60]
        for step in steps:
            indices = [subtask["parallelIdx"] for subtask in step]
            assert indices == ([-1] if step[0]["name"] == "Wait node" else list(range(hosts)))
        for before, after in pairwise(steps):
            assert after[0]["upstreams"] == [subtask["id"] for subtask in before]
        assert {subtask["status"] for subtask in steps[0]} == {"READY"}
        assert {subtask["status"] for step in steps[1:] for subtask in step} == {"PENDING"}
        first = subtasks[0]["id"]
        assert all(subtask["id"] == first + subtask["seriesId"] for subtask in subtasks)


async def test_a_host_named_twice_counts_once_in_its_first_place(api: Api) -> None:
    task = (await api.stop([1002, 2, 1002, 1001, 2])).json()["data"]
    assert task["context"]["listMap"]["host_ids"] == ["1002", "2", "1001"]
    assert len(task["subtasks"]) == 3 * 3 + 2


async def test_the_task_is_stored_and_then_published_once(api: Api) -> None:
    task = (await api.stop([1001, 1002])).json()["data"]
    stored = await api.store.tasks.head(task["id"])
    assert stored is not None
    assert [submitted.id for submitted in api.dispatcher.submitted] == [task["id"]]
    assert await api.store.tasks.host_ids(task["id"]) == (1001, 1002)
    assert (stored.creator.name, stored.executor) == ("admin", "10.9.8.7")


async def test_ids_that_a_json_reader_might_round_are_strings(api: Api) -> None:
    big = 2**63 - 1
    await api.store.hosts.put([entry(big)], 0)
    task = (await api.stop([big])).json()["data"]
    assert task["context"]["listMap"]["host_ids"] == [str(big)]
    host = (await api.client.get(f"/api/v2/compute/hosts/{big}")).json()["data"]
    assert host["id"] == str(big)
