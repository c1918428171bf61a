"""One service of an agent is stopped and restarted on a scripted host, and fails in every way it can."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pytest

from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.service import NoAgentd, ServiceAlive, ServiceNotRunning, ServiceRuns, ServiceStopped
from tests.support.scripted import Reply, ScriptedHost, look, service, shell, status
from workers.agent.service import restart_service, stop_service
from workers.agent.timing import Timing

if TYPE_CHECKING:
    from core.outcome.base import Outcome

ALL = ("agentd", "mgragent", "monagent")
REST = ("agentd", "mgragent")
TIMING = Timing(service_stop_for=1.0, service_start_for=1.5)


async def play(verb: str, *replies: Reply) -> tuple[Outcome, ScriptedHost]:
    """Work on monagent; all replies must be needed, and the right to work is checked before each command."""
    host = ScriptedHost(deque(replies))
    change = stop_service if verb == "stop" else restart_service
    outcome = await change(host.make_run(timing=TIMING), "ocp_monagent")
    assert not host.replies, f"never asked for: {list(host.replies)}"
    assert host.checks == len(host.done)
    return outcome, host


async def test_a_stop_succeeds_when_the_process_is_gone_and_agentd_does_not_restart_it() -> None:
    outcome, host = await play(
        "stop",
        look(*ALL),
        service("stop", "monagent", takes=3.0),
        look(*ALL),
        look(*REST),
        status(monagent="unknown"),
        look(*REST),
        status(monagent="stopped"),
    )
    assert outcome == ServiceStopped("ocp_monagent", (12,))
    assert host.waits == [0.5, 0.5]


async def test_a_stopped_service_is_left_alone() -> None:
    outcome, host = await play("stop", look(*REST), status(monagent="stopped"))
    assert outcome == ServiceStopped("ocp_monagent", ())
    assert not any("service" in command for command in host.done)


async def test_a_service_that_agentd_is_about_to_restart_is_stopped_too() -> None:
    outcome, _ = await play(
        "stop",
        look(*REST),
        status(monagent=12),
        service("stop", "monagent"),
        look(*REST),
        status(monagent="stopped"),
    )
    assert outcome == ServiceStopped("ocp_monagent", ())


async def test_a_restart_starts_a_stopped_service_and_proves_its_new_process() -> None:
    outcome, host = await play(
        "restart",
        look(*ALL),
        service("stop", "monagent"),
        look(*REST),
        status(monagent="stopped"),
        look(*REST),
        status(monagent="stopped"),
        service("start", "monagent"),
        look(*REST, "monagent:77"),
        status(monagent="unknown"),
        look(*REST, "monagent:77"),
        status(monagent=77),
    )
    assert outcome == ServiceRuns("ocp_monagent", 77)
    assert [command.split()[-2] for command in host.done if "service" in command] == ["stop", "start"]


async def test_a_service_that_agentd_restarted_itself_is_not_started() -> None:
    outcome, host = await play(
        "restart",
        look(*REST),
        status(monagent="stopped"),
        look(*REST, "monagent:77"),
        status(monagent=77),
    )
    assert outcome == ServiceRuns("ocp_monagent", 77)
    assert not any("service start" in command for command in host.done)


async def test_without_agentd_nothing_can_be_done() -> None:
    assert (await play("stop", look()))[0] == ServiceStopped("ocp_monagent", ())
    assert (await play("stop", look("monagent")))[0] == NoAgentd("ocp_monagent", (12,))
    assert (await play("restart", look(), look()))[0] == NoAgentd("ocp_monagent", ())


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (service("stop", "monagent", "Module=agentd, kind=NOT_FOUND, code=service_not_round; x"), Refused),
        (shell(127, "sh: not found", "stop ocp_monagent"), NotInstalled),
        (shell(1, "sudo: a password is required", "stop ocp_monagent"), NoPermission),
        (shell(3, "what?", "stop ocp_monagent"), UnexpectedAnswer),
    ],
)
async def test_a_refusal_ends_the_run_at_once(reply: Reply, kind: type[Outcome]) -> None:
    outcome, host = await play("stop", look(*ALL), reply, look(*ALL))
    assert isinstance(outcome, kind)
    assert host.waits == []


async def test_a_refusal_does_not_matter_where_the_process_is_gone() -> None:
    outcome, _ = await play(
        "stop",
        look(*ALL),
        service("stop", "monagent", "Module=api/client, code=api_request_failed; context deadline exceeded"),
        look(*REST),
        status(monagent="stopped"),
    )
    assert outcome == ServiceStopped("ocp_monagent", (12,))


async def test_a_process_that_stays_or_comes_back() -> None:
    stays, _ = await play("stop", look(*ALL), service("stop", "monagent"), *[look(*ALL)] * 3)
    assert stays == ServiceAlive(
        "ocp_monagent", (12,), 1.0, "agentd was not asked for its status while the process was alive"
    )
    back, _ = await play(
        "stop",
        look(*ALL),
        service("stop", "monagent"),
        *[look(*REST), status(monagent=12)] * 3,
    )
    assert isinstance(back, ServiceAlive)
    assert "ocp_monagent running" in back.sentence()


async def test_a_service_that_does_not_come_up() -> None:
    outcome, _ = await play(
        "restart",
        look(*REST),
        status(monagent="stopped"),
        look(*REST),
        status(monagent="stopped"),
        service("start", "monagent"),
        *[look(*REST), status(monagent="stopped")] * 4,
    )
    assert isinstance(outcome, ServiceNotRunning)
    assert "ocp_monagent stopped" in outcome.sentence()
    silent, _ = await play(
        "restart",
        look(*REST),
        status(monagent="stopped"),
        *[look(*REST), status("code=api_request_failed; context deadline exceeded")] * 4,
    )
    assert isinstance(silent, ServiceNotRunning)
    assert "context deadline exceeded" in silent.sentence()
