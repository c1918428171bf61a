"""The simulated hosts answer like agents, and log their commands."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.aftermath import read_log
from tests.chaos.hosts import SimulatedAgents, make_target
from workers.agent.host.agentctl_reply import Accepted, Declined, read_reply
from workers.agent.host.commands import build_control_command, build_look_command
from workers.agent.host.output import read_look

if TYPE_CHECKING:
    from workers.executor.base import Completed

TARGET = make_target(1, 22, None)


class Hosts:
    def __init__(self, refusals: float = 0.0) -> None:
        self.lines: list[dict[str, Any]] = []
        self.fleet = SimulatedAgents(self._say, random.Random(1), refusals)

    def _say(self, line: dict[str, Any]) -> None:
        self.lines.append({"at": float(len(self.lines))} | line)

    async def tell(self, verb: Any, visit: int = 1) -> Completed:
        return await self.fleet.run_command(1, visit, build_control_command(TARGET, verb).render())

    async def seen(self) -> bool:
        look = await self.fleet.run_command(1, 1, build_look_command(TARGET).render())
        return bool(read_look(look).processes)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random.Random, "uniform", lambda _self, _low, high: 0.0 if high < 100 else 50.0)


async def test_a_stop_ends_the_agent_and_a_start_brings_it_back() -> None:
    hosts = Hosts()
    assert await hosts.seen()
    assert isinstance(read_reply(await hosts.tell("stop")), Accepted)
    assert not await hosts.seen()
    assert isinstance(read_reply(await hosts.tell("start")), Accepted)
    assert await hosts.seen()


async def test_one_command_gets_the_lock_and_the_other_is_told() -> None:
    hosts = Hosts()
    first = asyncio.create_task(hosts.tell("stop"))
    await asyncio.sleep(0)
    second = read_reply(await hosts.tell("stop"))
    assert isinstance(second, Declined)
    assert second.lock_held
    assert isinstance(read_reply(await first), Accepted)


async def test_a_refusal_changes_nothing() -> None:
    hosts = Hosts(refusals=100.0)
    refused = read_reply(await hosts.tell("stop"))
    assert isinstance(refused, Declined)
    assert not refused.lock_held
    assert await hosts.seen()


async def test_the_log_is_read_as_visits_with_their_calls() -> None:
    hosts = Hosts()
    hosts.fleet.say({"edge": "come", "host": 1, "visit": 1, "who": "worker-2.3"})
    await hosts.tell("stop")
    hosts.fleet.say({"edge": "gone", "host": 1, "visit": 1})
    visits, alive = read_log(map(json.dumps, hosts.lines), 2)
    assert alive == {1: False, 2: True}
    (visit,) = visits
    assert (visit.host, visit.who, visit.ended) == (1, "worker-2.3", 3.0)
    assert [(call.verb, call.began, call.ended, call.answer) for call in visit.calls] == [("stop", 1.0, 2.0, "done")]
