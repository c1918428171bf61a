"""The operators of the chaos program send every kind of request, and keep enough hosts free."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx

from tests.chaos.load import Load
from tests.chaos.operators import Operator

if TYPE_CHECKING:
    from tests.chaos.rig import Rig

HOSTS = 40
SUBTASKS = [{"id": 71, "status": "FAILED"}, {"id": 72, "status": "RUNNING"}, {"id": 73, "status": "PENDING"}]


class Api:
    """An API at which tasks 7 (FAILED) and 8 (RUNNING) hold some hosts for ever."""

    def __init__(self, held: int) -> None:
        self.hosts = [
            {"id": host, "holderTaskId": (7 if host % 2 else 8) if host <= held else None}
            for host in range(1, HOSTS + 1)
        ]
        self.asked: list[tuple[str, Any]] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            self.asked.append((path, json.loads(request.content or "null")))
            return httpx.Response(200, json={"data": {"id": 9}})
        if path == "/compute/hosts":
            return httpx.Response(200, json={"data": {"contents": self.hosts}})
        number = int(path.rsplit("/", maxsplit=1)[-1])
        status = {7: "FAILED", 8: "RUNNING"}[number]
        return httpx.Response(200, json={"data": {"id": number, "status": status, "subtasks": SUBTASKS}})


def act(api: Api, times: int) -> Load:
    """Have an operator act `times` times; return its load."""
    load = Load(cast("Rig", SimpleNamespace()), HOSTS, 1)
    transport = httpx.MockTransport(api.answer)
    with httpx.Client(transport=transport, base_url="http://api") as client:
        operator = Operator(load, client, random.Random(1))
        for _ in range(times):
            operator.act()
    return load


def test_an_operator_sends_every_kind_of_request() -> None:
    api = Api(held=2)
    load = act(api, 300)
    assert set(load.answers) == {
        *("stop: 200", "restart: 200", "start: 200", "retry: 200", "retry subtask: 200", "skip subtask: 200"),
        *("rollback: 200", "cancel: 200", "cancel subtask: 200"),
    }
    assert set(load.rollbacks) == {7}
    assert load.skipped == {71}
    assert set(load.accepted) == {9}


def test_most_requests_are_for_free_hosts_and_some_overlap() -> None:
    api = Api(held=4)
    act(api, 300)
    asked = [set(body["hostIds"]) for path, body in api.asked if path.endswith("Agents")]
    of_free = [ids for ids in asked if ids.isdisjoint(range(1, 5))]
    assert 0 < len(asked) - len(of_free) < len(asked)
    assert {1, HOSTS} in [ids & {1, HOSTS} for ids in asked], "the last host is beside the first one"


def test_in_a_crowded_fleet_operators_end_tasks_rather_than_begin_new_ones() -> None:
    free, crowded = Api(held=20), Api(held=HOSTS)
    submits = []
    for api in (free, crowded):
        act(api, 300)
        submits.append(sum(path.endswith("Agents") for path, _ in api.asked))
    assert submits[0] > 2 * submits[1] > 0
