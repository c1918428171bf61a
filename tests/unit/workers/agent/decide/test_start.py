"""Starts on scripted hosts: each answer that a real agent was seen to give."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import TimedOut
from core.outcome.reach import Unreachable
from core.outcome.start import AlreadyRunning, EndedAtOnce, NotReady, Started
from core.outcome.stop import StillRunning
from tests.support.property_tests import scale_examples
from tests.support.scripted import (
    HOME,
    TARGET,
    Reply,
    ScriptedHost,
    look,
    play_start,
    shell,
    signal,
    start,
    status,
    stop,
)
from workers.agent.decide.start import decide_start
from workers.executor.base import Completed, HostConnectionError

ALL = ("agentd", "mgragent", "monagent")
CHILDREN = ("mgragent", "monagent")
NEW = ("agentd:20", "mgragent:21", "monagent:22")
LOCKED = "Module=agent, kind=INTERNAL, code=fetch_admin_lock_failed; [run/admin.lock]\ncause:\nopen: file exists"
BROKEN_LOCK = "Module=agent, kind=INTERNAL, code=clean_dangling_admin_lock_failed; [run/admin.lock]"
NOT_YET = "Module=agent, kind=DEADLINE_EXCEEDED, code=wait_for_ready_timeout; "
QUICK_END = "Module=agent, kind=INTERNAL, code=agentd_exited_quickly; [77]"
DOWN = "Module=agent, kind=INTERNAL, code=read_pid_failed; open run/ocp_agentd.pid: no such file or directory"
REFUSED = "Module=api/client, kind=INTERNAL, code=api_request_failed; dial unix: connect: connection refused"
WEDGED = "Module=api/client, kind=INTERNAL, code=api_request_failed; \ncause:\ncontext deadline exceeded"


def ready(agentd: int = 10) -> Reply:
    return status(agentd=agentd, mgragent=agentd + 1, monagent=agentd + 2)


async def test_a_stopped_agent_is_started_and_seen_ready_twice_three_seconds_apart() -> None:
    outcome, host = await play_start(look(), start(takes=1.05), ready(), ready(), look(*ALL))

    assert outcome == Started((10, 11, 12))
    assert (
        outcome.sentence()
        == "Started: processes 10, 11, 12 run; two looks found the agent ready, with the same agentd."
    )
    assert host.done[1:3] == [f"{HOME}/bin/ocp_agentctl start", f"{HOME}/bin/ocp_agentctl status"]
    assert host.waits == [3.0]


async def test_a_running_agent_is_left_alone() -> None:
    outcome, _ = await play_start(look(*ALL), ready(), start(takes=0.02), ready(), ready(), look(*ALL))

    assert outcome == AlreadyRunning((10, 11, 12))
    assert outcome.sentence().startswith("Was already running: processes 10, 11, 12 run")


async def test_with_sudo_each_command_runs_through_it() -> None:
    target = replace(TARGET, sudo=True)
    _, host = await play_start(look(), start(), ready(), ready(), look(*ALL), target=target)

    assert [command.split()[:2] for command in host.done] == [["sudo", "-n"]] * 5


async def test_another_agentd_at_the_second_status_restarts_the_proof() -> None:
    outcome, host = await play_start(look(), start(), ready(), ready(20), ready(20), look(*NEW))

    assert outcome == Started((20, 21, 22))
    assert host.waits == [3.0, 3.0]


async def test_an_agentd_that_is_stopping_is_waited_for() -> None:
    stopping = (look(*ALL), status(state="stopping"))
    outcome, host = await play_start(*stopping, *stopping, look(), start(), ready(20), ready(20), look(*NEW))

    assert outcome == Started((20, 21, 22))
    assert host.waits == [1.0, 1.0, 3.0]
    assert "agentd is stopping" in host.text


async def test_an_agentd_that_never_stops_fails_the_start_after_30_seconds() -> None:
    stopping = [look(*ALL), status(state="stopping", takes=1.0)]
    outcome, host = await play_start(*stopping * 16)

    assert outcome == NotReady("agentd was still stopping", (10, 11, 12), 31.0)
    assert host.time - 1000 == 31.0


async def test_a_stop_in_flight_holds_the_lock_and_is_waited_for() -> None:
    outcome, host = await play_start(
        look(*ALL), ready(), start(LOCKED), look(), start(LOCKED), look(), start(), ready(20), ready(20), look(*NEW)
    )

    assert outcome == Started((20, 21, 22))
    assert host.waits == [2.5, 2.5, 3.0]


async def test_a_lock_that_is_never_released_refuses_the_start_after_30_seconds() -> None:
    outcome, host = await play_start(look(), *[start(LOCKED), look()] * 13)

    assert outcome == Refused("fetch_admin_lock_failed", LOCKED, ())
    assert sum(host.waits) == 30.0


async def test_a_broken_lock_is_retried_once_and_at_once() -> None:
    outcome, host = await play_start(look(), start(BROKEN_LOCK), look(), start(), ready(), ready(), look(*ALL))
    assert outcome == Started((10, 11, 12))
    assert host.waits == [3.0]

    outcome, _ = await play_start(look(), start(BROKEN_LOCK), look(), start(BROKEN_LOCK), look())
    assert outcome == Refused("clean_dangling_admin_lock_failed", BROKEN_LOCK, ())


async def test_a_start_that_met_an_ending_agentd_is_repeated() -> None:
    outcome, _ = await play_start(
        look(*ALL), ready(), start(), status(DOWN), look(), start(), ready(20), ready(20), look(*NEW)
    )

    assert outcome == Started((20, 21, 22))


async def test_an_agentd_that_always_disappears_fails_the_start() -> None:
    outcome, _ = await play_start(look(), *[start(), status(DOWN), look()] * 3)

    assert outcome == NotReady("agentd is gone again", (), 0.0)
    assert outcome.sentence().startswith("Not ready: agentd is gone again after 0 s (no process alive). Read the")


async def test_services_may_need_longer_than_the_start_waits() -> None:
    slow = [status(mgragent="unknown"), look("agentd", "mgragent")]
    outcome, host = await play_start(look(), start(NOT_YET, takes=10.0), *slow, *slow, ready(), ready(), look(*ALL))

    assert outcome == Started((10, 11, 12))
    assert host.waits == [1.0, 1.0, 3.0]
    assert "not ready yet: agentd 10 says running (ocp_mgragent unknown, ocp_monagent running)" in host.text


async def test_services_that_never_answer_are_named() -> None:
    slow = [status(mgragent="unknown", takes=2.0), look("agentd", "mgragent")]
    outcome, _ = await play_start(look(), start(NOT_YET, takes=10.0), *slow * 11)

    said = "agentd 10 says running (ocp_mgragent unknown, ocp_monagent running)"
    assert outcome == NotReady(said, (10, 11), 42.0)


async def test_an_agent_with_an_abandoned_service_is_stopped_and_started_once() -> None:
    lame = [status(mgragent="stopped"), look("agentd", "monagent")]
    outcome, host = await play_start(
        look("agentd", "monagent"),
        lame[0],
        start(),
        *lame * 4,
        look("agentd", "monagent"),
        stop(takes=5.0),
        look(),
        look(),
        start(),
        ready(20),
        ready(20),
        look(*NEW),
    )

    assert outcome == Started((20, 21, 22))
    assert host.waits == [1.0, 1.0, 1.0, 3.0]
    assert "Stopping the agent first: agentd has given up ocp_mgragent, and its start does not mend that." in host.text
    assert "Stopped: processes 10, 12 ended" in host.text


async def test_a_port_of_another_program_leads_to_one_restart_only() -> None:
    lame = [status(mgragent="stopped"), look("agentd", "monagent")]
    mend = [look("agentd", "monagent"), stop(takes=5.0), look(), look()]
    failing = [start(NOT_YET, takes=10.0), *lame * 4]
    outcome, host = await play_start(look(), *failing, *mend, *failing)

    assert isinstance(outcome, NotReady)
    assert outcome.detail == "agentd 10 says running (ocp_mgragent stopped, ocp_monagent running)"
    assert outcome.pids == (10, 12)
    assert host.time - 1000 == 31.0
    assert "a usual cause is a port that another program uses" in outcome.sentence()


async def test_a_service_that_is_stopped_for_a_moment_is_not_abandoned() -> None:
    outcome, _ = await play_start(
        look(),
        start(),
        *[status(mgragent="stopped"), look("agentd", "monagent")],
        *[status(mgragent="unknown"), look("agentd", "monagent")],
        *[status(mgragent="stopped"), look("agentd", "monagent")] * 3,
        ready(),
        ready(),
        look(*ALL),
    )

    assert outcome == Started((10, 11, 12))


async def test_orphans_of_a_dead_agentd_are_stopped_before_the_start() -> None:
    outcome, host = await play_start(
        look(*CHILDREN),
        *[look(*CHILDREN), stop(), look(*CHILDREN), signal("TERM", 11, 12), look()],
        *[look(), start(), ready(20), ready(20), look(*NEW)],
    )

    assert outcome == Started((20, 21, 22))
    assert "agentd is gone and ocp_mgragent 11 (S), ocp_monagent 12 (S) would keep new ones from starting" in host.text


async def test_orphans_that_do_not_end_fail_the_start() -> None:
    outcome, _ = await play_start(
        look("monagent"),
        *[look("monagent"), stop(), look("monagent"), signal("TERM", 12), *[look("monagent")] * 11],
    )

    assert outcome == StillRunning((12,), 10.0)


async def test_a_pid_file_that_names_a_foreign_process_is_reported() -> None:
    outcome, _ = await play_start(look(), start(QUICK_END, takes=1.03), look())

    assert outcome == EndedAtOnce(HOME, QUICK_END)
    assert outcome.sentence() == (
        f"Ended at once: agentd did not stay up ({QUICK_END}). Read {HOME}/log/agentd.err.log. If an agentd.pid file "
        f"in {HOME}/run names a process that is not agentd, remove the file. Then retry."
    )


async def test_a_refusal() -> None:
    outcome, _ = await play_start(look(), start("open conf/agentctl.yaml: no such file or directory"), look())

    assert outcome == Refused("error", "open conf/agentctl.yaml: no such file or directory")


@pytest.mark.parametrize("where", ["start", "status"])
async def test_a_user_without_permission(where: str) -> None:
    denied = "open run/admin.lock: permission denied"
    replies = [start(denied)] if where == "start" else [start(), status(denied)]
    outcome, _ = await play_start(look(), *replies, look())

    assert outcome == NoPermission(f"the agent's control program answered: {denied}")


@pytest.mark.parametrize(("code", "said"), [(127, "not found"), (126, "Permission denied")])
async def test_a_missing_control_program(code: int, said: str) -> None:
    outcome, _ = await play_start(look(), shell(code, said, to="start"), look())

    assert outcome == NotInstalled(f"{HOME}/bin/ocp_agentctl")


async def test_an_unknown_answer() -> None:
    outcome, _ = await play_start(look(), shell(1, "unknown command", to="start"), look())

    assert outcome == UnexpectedAnswer(
        "the agent's control program ended with exit status 1 and said 'unknown command'"
    )


async def test_after_a_start_that_does_not_end_the_host_is_looked_at() -> None:
    silent = Reply("start", TimeoutError(), takes=30.0)

    outcome, _ = await play_start(look(), silent, ready(), ready(), look(*ALL))
    assert outcome == Started((10, 11, 12))


async def test_a_wedged_agentd_is_reported() -> None:
    wedged = [status(WEDGED, takes=10.0), look(*ALL)]
    outcome, _ = await play_start(look(*ALL), wedged[0], start(), *wedged * 3)

    assert isinstance(outcome, NotReady)
    assert outcome.detail.startswith("the status was: Module=api/client")

    silent = [Reply("status", TimeoutError(), takes=30.0), look(*ALL)]
    outcome, _ = await play_start(look(*ALL), silent[0], start(), *silent)
    assert outcome == NotReady("agentd did not answer within 30 s", (10, 11, 12), 30.0)


async def test_an_agent_is_not_ready_while_the_look_misses_its_processes() -> None:
    seen = [ready(), look("agentd", "mgragent")]
    outcome, _ = await play_start(look(), start(), ready(), *seen * 28)

    assert isinstance(outcome, NotReady)
    assert outcome.detail.endswith("or its processes were not found")


async def test_processes_with_hidden_executables_prove_nothing() -> None:
    hidden = [ready(), look("agentd?", "mgragent?", "monagent?")]
    outcome, _ = await play_start(look(), start(), ready(), *hidden * 28)

    assert isinstance(outcome, NoPermission)


async def test_a_lost_connection_and_a_host_that_hangs_are_outcomes() -> None:
    lost = Unreachable("10.0.0.7:22", "connection lost while running a command")

    assert (await play_start(look(), Reply("start", HostConnectionError(lost))))[0] is lost
    assert (await play_start(Reply("look", TimeoutError(), takes=30.0)))[0] == TimedOut(
        "looking at the agent's processes", 30.0
    )


async def test_a_status_that_is_not_a_document_is_reported() -> None:
    odd = Reply("status", Completed(0, None, '{"successful":true,"message":"ok","error":""}', ""))
    outcome, _ = await play_start(look(), start(), *[odd, look(*ALL)] * 31)

    assert isinstance(outcome, NotReady)
    assert outcome.detail == "the status was: the agent's status is 'ok'"


async def test_an_agent_that_always_has_another_agentd_is_not_ready() -> None:
    others = [ready(agentd) for agentd in range(20, 240, 20)]
    outcome, _ = await play_start(look(), start(), *others, look("agentd:220", "mgragent:221", "monagent:222"))

    assert isinstance(outcome, NotReady)
    assert outcome.waited_seconds == 30.0
    assert "is not the agentd of before" in outcome.detail


HOSTILE = [
    *[look(), look(*ALL), look(*NEW), look(*CHILDREN), look("agentd"), look("agentd?")],
    *[start(), start(NOT_YET), start(LOCKED), start(BROKEN_LOCK), start(QUICK_END)],
    *[Reply("start", TimeoutError(), takes=30.0), shell(127, "not found", to="start")],
    *[ready(), ready(20), status(state="stopping"), status(DOWN), status(WEDGED, takes=10.0)],
    *[status(mgragent="stopped"), status(monagent="unknown"), status("permission denied")],
    *[stop(), stop(LOCKED), signal("TERM", 10, 11, 12), signal("TERM", 20, refused=True)],
]


class HostileHost(ScriptedHost):
    """Answers each command with anything that fits it."""

    draw: st.DataObject
    asked: list[str]

    @override
    def _reply(self, kind: str) -> Completed:
        reply = self.draw.draw(st.sampled_from([reply for reply in HOSTILE if reply.to == kind]))
        self.time += reply.takes + 0.01
        self.asked.append(kind)
        if isinstance(reply.answer, Exception):
            raise reply.answer
        return reply.answer


@settings(max_examples=scale_examples(200))
@given(st.data())
async def test_a_start_ends_whatever_the_host_answers(data: st.DataObject) -> None:
    host = HostileHost(deque())
    host.draw, host.asked = data, []
    outcome = await host.make_run().follow(decide_start)

    assert outcome.sentence()
    assert host.time - 1000 < 600, "longer than the subtask's limit"
    if outcome.successful:
        assert host.asked[-1] == "look"
        assert host.asked.count("status") >= 2
