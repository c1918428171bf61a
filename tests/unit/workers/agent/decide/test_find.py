"""The agent of a scripted host is found in whatever state it is, and nothing changes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.find import AgentAbsent, AgentPresent
from core.outcome.start import NotReady
from tests.support import scripted
from tests.support.scripted import HOME, Reply, ScriptedHost, look, shell, status, version
from workers.agent.decide.find import decide_find
from workers.agent.timing import Timing
from workers.executor.base import Completed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.outcome.base import Outcome

ALL = ("agentd", "mgragent", "monagent")
PROGRAM = f"{HOME}/bin/ocp_agentctl"
LATE = status(monagent="unknown")


async def play(*replies: Reply) -> tuple[Outcome, ScriptedHost]:
    outcome, host = await scripted.play(*replies, decide=decide_find, timing=Timing(ready_for=2.0))
    assert not host.journal.touched, "a look undoes nothing"
    return outcome, host


@pytest.mark.parametrize(
    ("replies", "outcome", "alive"),
    [
        ([look(*ALL), version(), look(*ALL), status()], AgentPresent("4.2.2", (10, 11, 12)), True),
        ([look(), version(), look()], AgentPresent("4.2.2", ()), False),
        ([look(*ALL), version(), look()], AgentPresent("4.2.2", ()), False),
        ([look(), shell(127, "not found", "version")], AgentAbsent(PROGRAM), None),
        ([look("monagent"), shell(127, "not found", "version")], NotInstalled(PROGRAM, (12,)), True),
        ([look(*ALL), version(), look(*ALL), LATE, look(*ALL), status()], AgentPresent("4.2.2", (10, 11, 12)), True),
    ],
)
async def test_each_state_of_an_agent_is_found(
    replies: Sequence[Reply], outcome: Outcome, *, alive: bool | None
) -> None:
    found, _ = await play(*replies)
    assert found == outcome
    assert found.agent_alive is alive


async def test_an_agent_that_does_not_become_ready() -> None:
    found, host = await play(look(*ALL), version(), *[look(*ALL), LATE] * 3)
    assert isinstance(found, NotReady)
    assert "ocp_monagent unknown" in found.sentence()
    assert host.waits == [1.0, 1.0]
    orphans, _ = await play(look("monagent"), version(), *[look("monagent"), status("code=read_pid_failed; x")] * 3)
    assert isinstance(orphans, NotReady)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply("version", Completed(255, None, "", '{"successful":false,"error":"code=x; y"}')), Refused),
        (shell(1, "sudo: a password is required", "version"), NoPermission),
        (shell(3, "what?", "version"), UnexpectedAnswer),
        (Reply("version", TimeoutError()), UnexpectedAnswer),
    ],
)
async def test_a_control_program_that_does_not_tell_its_version(reply: Reply, kind: type[Outcome]) -> None:
    found, _ = await play(look(), reply)
    assert isinstance(found, kind)
