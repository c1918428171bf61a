"""Stops on scripted hosts: each answer that a real agent was seen to give."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.outcome.agentctl import NoPermission, NotInstalled, Refused, UnexpectedAnswer
from core.outcome.base import TimedOut
from core.outcome.reach import Unreachable
from core.outcome.stop import AlreadyStopped, StillRunning, Stopped
from tests.support.scripted import HOME, TARGET, Reply, look, play, shell, signal, stop
from workers.agent.timing import Timing
from workers.executor.base import CommandNotSentError, Completed, HostConnectionError

ALL = ("agentd", "mgragent", "monagent")
CHILDREN = ("mgragent", "monagent")
LOCKED = (
    "Module=agent, kind=INTERNAL, code=fetch_admin_lock_failed; [./run/admin.lock]\n"
    "cause:\nopen ./run/admin.lock: file exists"
)
BROKEN_LOCK = "Module=agent, kind=INTERNAL, code=clean_dangling_admin_lock_failed; [./run/admin.lock]"
TOO_SLOW = "Module=agent, kind=DEADLINE_EXCEEDED, code=wait_for_exit_timeout; "
BAD_PID_FILE = (
    'Module=agent, kind=INTERNAL, code=read_pid_failed; \ncause:\nstrconv.Atoi: parsing "abc": invalid syntax'
)
NO_CONFIG = "open conf/agentctl.yaml: no such file or directory"
NO_LOCK_RIGHT = LOCKED.replace("file exists", "permission denied")
KILLING = Timing(kill_allowed=True)


async def test_a_healthy_agent_takes_exactly_one_command_that_looks_and_stops_and_looks() -> None:
    outcome, host = await play(look(*ALL), stop(takes=5.05), look())

    assert outcome == Stopped((10, 11, 12))
    assert outcome.sentence() == (
        "Stopped: processes 10, 11, 12 ended, no live process of the agent is left on the host."
    )
    program = "sh -c <look at the agent's processes, stop it, look again> ocpfleet-stop"
    assert host.done == [f"{program} {HOME}/bin ocp_agentd ocp_mgragent ocp_monagent {HOME}/bin/ocp_agentctl"]
    assert host.waits == []
    assert [line.text.split()[0] for line in host.journal.lines] == ["$", "Seen", "exit", "stdout:", "Seen"]


async def test_an_agent_with_a_service_that_had_ended_before() -> None:
    outcome, _ = await play(look("agentd", "mgragent"), stop(takes=2.0), look())

    assert outcome == Stopped((10, 11))


async def test_an_agent_that_was_not_running() -> None:
    outcome, host = await play(look(), stop(takes=0.02), look())

    assert outcome == AlreadyStopped()
    assert outcome.sentence() == ("Was already stopped: no process of the agent was alive before or after the command.")
    assert "Seen before the stop: no live process of the agent." in host.text


async def test_with_sudo_each_command_runs_through_it() -> None:
    held = [look(), stop(LOCKED), look(), stop(), look()]
    _, host = await play(*held, target=replace(TARGET, sudo=True, agent_prefix="ob"))

    assert [command.split()[:2] for command in host.done] == [["sudo", "-n"]] * 3
    assert host.done[0].endswith(f"{HOME}/bin ob_agentd ob_mgragent ob_monagent {HOME}/bin/ob_agentctl")
    assert host.done[1] == f"sudo -n {HOME}/bin/ob_agentctl stop"
    assert host.done[2].endswith(f"ocpfleet-look {HOME}/bin ob_agentd ob_mgragent ob_monagent")


async def test_log_noise_around_a_success_does_not_matter() -> None:
    outcome, host = await play(look("agentd"), stop(stderr="write log failed: permission denied\n"), look())

    assert outcome == Stopped((10,))
    assert "stderr: write log failed: permission denied" in host.text


async def test_orphans_get_term_although_the_stop_said_ok() -> None:
    outcome, host = await play(
        look(*CHILDREN), stop(takes=0.02), look(*CHILDREN), signal("TERM", 11, 12), look("monagent"), look()
    )

    assert outcome == Stopped((11, 12), signalled=(11, 12))
    assert outcome.sentence() == (
        "Stopped: processes 11, 12 ended, no live process of the agent is left on the host; "
        "processes 11, 12, left alive by the agent's own stop, had to be signalled."
    )
    assert host.signalled == [[11, 12]]
    assert host.waits == [1.0]


async def test_older_orphans_that_do_not_end_are_named_and_not_killed() -> None:
    old = ("mgragent:21", "monagent:22")
    outcome, host = await play(
        look(*ALL, *old), stop(takes=2.0), look(*old), signal("TERM", 21, 22), *[look(*old)] * 11
    )

    assert outcome == StillRunning((21, 22), waited_seconds=12.0)
    assert outcome.sentence() == (
        "Still running: processes 21, 22 of the agent, 12 s after the stop. Find out why the agent does not "
        "end, then retry; or allow the worker to kill it (OCPFLEET_ALLOW_KILL)."
    )
    assert sum(host.waits) == 10.0


async def test_older_orphans_are_killed_where_that_is_allowed() -> None:
    old = ("mgragent:21",)
    outcome, host = await play(
        look(*old),
        stop(),
        look(*old),
        signal("TERM", 21),
        *[look(*old)] * 11,
        signal("KILL", 21),
        look(),
        timing=KILLING,
    )

    assert outcome == Stopped((21,), signalled=(21,))
    assert host.signalled == [[21], [21]]


async def test_an_agent_that_survives_kill() -> None:
    outcome, host = await play(
        look("monagent"), stop(), look("monagent"), signal("TERM", 12), *[look("monagent")] * 11,
        signal("KILL", 12), *[look("monagent")] * 6, timing=KILLING,
    )  # fmt: skip

    assert outcome == StillRunning((12,), waited_seconds=15.0)
    assert sum(host.waits) == 15.0


@pytest.mark.parametrize("seconds", [4, 12])
async def test_a_wedged_service_makes_agentctl_give_up_and_the_agent_ends_later(seconds: int) -> None:
    outcome, host = await play(look(*ALL), stop(TOO_SLOW, takes=10.02), *[look(*ALL)] * seconds, look())

    assert outcome == Stopped((10, 11, 12))
    assert sum(host.waits) == seconds
    assert host.signalled == []


async def test_a_wedged_agentd_is_waited_for_and_its_children_are_left_alone() -> None:
    outcome, host = await play(look(*ALL), stop(TOO_SLOW, takes=10.02), *[look(*ALL)] * 31)

    assert isinstance(outcome, StillRunning)
    assert outcome.pids == (10, 11, 12)
    assert outcome.waited_seconds == pytest.approx(40.02)
    assert host.signalled == []


async def test_a_wedged_agentd_is_killed_first_and_its_children_are_told_after_it() -> None:
    outcome, host = await play(
        look(*ALL), stop(TOO_SLOW, takes=10.0), *[look(*ALL)] * 31, signal("KILL", 10), look(*CHILDREN),
        signal("TERM", 11, 12), look(), timing=KILLING,
    )  # fmt: skip

    assert outcome == Stopped((10, 11, 12), signalled=(10, 11, 12))
    assert host.signalled == [[10], [11, 12]]


async def test_a_zombie_agentd_counts_as_gone() -> None:
    outcome, host = await play(look(*ALL), stop(TOO_SLOW, takes=10.09), look())

    assert outcome == Stopped((10, 11, 12))
    assert host.waits == []


async def test_after_a_bad_pid_file_only_agentd_gets_term() -> None:
    outcome, host = await play(
        look(*ALL), stop(BAD_PID_FILE), look(*ALL), signal("TERM", 10), look(*ALL), look("monagent"),
        signal("TERM", 12), look(),
    )  # fmt: skip

    assert outcome == Stopped((10, 11, 12), signalled=(10, 12))
    assert host.signalled == [[10], [12]]


async def test_a_bad_pid_file_of_a_stopped_agent_is_not_a_failure() -> None:
    outcome, _ = await play(look(), stop(BAD_PID_FILE), look())

    assert outcome == AlreadyStopped()


async def test_a_lock_that_another_stop_holds_is_waited_for() -> None:
    outcome, host = await play(look(*ALL), stop(LOCKED), look(*ALL), stop(LOCKED), stop(takes=1.0), look())

    assert outcome == Stopped((10, 11, 12))
    assert host.waits == [2.5, 2.5]


async def test_a_lock_that_is_never_released() -> None:
    outcome, host = await play(look(*ALL), stop(LOCKED), look(*ALL), *[stop(LOCKED)] * 6, look(*ALL))

    assert outcome == Refused("fetch_admin_lock_failed", LOCKED, (10, 11, 12))
    assert sum(host.waits) == 15.0


async def test_a_lock_of_a_stop_that_succeeds_is_not_a_failure() -> None:
    outcome, _ = await play(look(*ALL), stop(LOCKED), look(*ALL), *[stop(LOCKED)] * 6, look())

    assert outcome == Stopped((10, 11, 12))


async def test_a_broken_lock_is_retried_once_and_at_once() -> None:
    outcome, host = await play(look(*ALL), stop(BROKEN_LOCK), look(*ALL), stop(takes=5.0), look())
    assert outcome == Stopped((10, 11, 12))
    assert host.waits == []

    outcome, _ = await play(look(*ALL), stop(BROKEN_LOCK), look(*ALL), stop(BROKEN_LOCK), look(*ALL))
    assert outcome == Refused("clean_dangling_admin_lock_failed", BROKEN_LOCK, (10, 11, 12))


async def test_a_refusal_with_the_agent_alive() -> None:
    outcome, _ = await play(look("agentd"), stop(NO_CONFIG), look("agentd"))

    assert outcome == Refused("error", NO_CONFIG, (10,))
    assert outcome.sentence() == (
        "Refused: the agent's control program answered error: open conf/agentctl.yaml: no such file or directory "
        "(process 10 alive). Fix the cause on the host, then retry."
    )


@pytest.mark.parametrize("said", [NO_LOCK_RIGHT, "operation not permitted"])
async def test_a_user_who_does_not_own_the_agent(said: str) -> None:
    outcome, _ = await play(look(*ALL), stop(said), look(*ALL))

    assert outcome == NoPermission(f"the agent's control program answered: {said}")
    assert outcome.sentence().endswith(
        "Set sshUser to the owner of the agent's processes, or set sudo to true and add a sudo rule that needs no "
        "password, then retry."
    )


async def test_sudo_asks_for_a_password() -> None:
    outcome, host = await play(shell(1, "sudo: a password is required\n", to="look"), target=replace(TARGET, sudo=True))

    assert outcome == NoPermission("sudo: a password is required")
    assert "stderr: sudo: a password is required" in host.text


@pytest.mark.parametrize(
    "user", ["alice is not in the sudoers file.", "Sorry, user alice is not allowed to execute 'x'"]
)
async def test_sudo_does_not_let_this_user_stop(user: str) -> None:
    outcome, _ = await play(look("agentd"), shell(1, f"sudo: {user}\n"), look("agentd"))

    assert isinstance(outcome, NoPermission)


@pytest.mark.parametrize(("status", "said"), [(127, "not found"), (126, "Permission denied")])
async def test_a_missing_control_program(status: int, said: str) -> None:
    outcome, _ = await play(look(), shell(status, said), look())
    assert outcome == NotInstalled(f"{HOME}/bin/ocp_agentctl")
    assert outcome.sentence() == (
        f"Not installed: {HOME}/bin/ocp_agentctl is missing or not executable. Correct the host's agentHome or "
        "agentPrefix in the inventory, or install the agent, then retry."
    )

    outcome, _ = await play(look("agentd"), shell(status, said), look("agentd"))
    assert outcome == NotInstalled(f"{HOME}/bin/ocp_agentctl", (10,))
    assert "although the host runs process 10 of the agent" in outcome.sentence()


async def test_an_unknown_answer() -> None:
    outcome, _ = await play(look("agentd"), shell(1, "unknown command"), look("agentd"))

    assert outcome == UnexpectedAnswer(
        "the agent's control program ended with exit status 1 and said 'unknown command' (ocp_agentd 10 (S) alive)"
    )
    assert outcome.sentence().endswith("Run the logged command on the host by hand, then retry.")


async def test_help_with_exit_status_0_is_not_a_success() -> None:
    outcome, _ = await play(look("agentd"), Reply("stop", Completed(0, None, "Usage: …", "")), look("agentd"))

    assert isinstance(outcome, UnexpectedAnswer)


async def test_after_a_stop_that_does_not_end_the_host_is_looked_at() -> None:
    silent = Reply("stop", TimeoutError(), takes=30.0)

    assert (await play(look("agentd"), silent, look()))[0] == Stopped((10,))
    assert (await play(look("agentd"), silent, look("agentd")))[0] == StillRunning((10,), 30.0)


async def test_a_look_that_does_not_end() -> None:
    outcome, _ = await play(Reply("look", TimeoutError(), takes=30.0))

    assert outcome == TimedOut("looking at the agent's processes", 30.0)
    assert outcome.sentence() == (
        "Timed out: 30 s ran out while looking at the agent's processes. Look at the host, then retry."
    )


async def test_a_truncated_look_proves_nothing() -> None:
    whole = look("agentd").answer
    assert isinstance(whole, Completed)
    cut = Reply("look", replace(whole, stdout=whole.stdout.removesuffix("ocpfleet: end\n")))

    outcome, host = await play(cut)

    assert isinstance(outcome, UnexpectedAnswer)
    assert "ocpfleet: agent 10" in host.text


async def test_a_lost_connection_is_an_outcome() -> None:
    lost = Unreachable("10.0.0.7:22", "connection lost while running a command")

    outcome, host = await play(look("agentd"), Reply("stop", HostConnectionError(lost)))

    assert outcome is lost
    assert host.journal.touched, "nobody knows how far it got"


@pytest.mark.parametrize(
    ("replies", "touched"),
    [
        pytest.param([look("agentd"), stop(), look()], True, id="it ran"),
        pytest.param([look(), stop(), look()], False, id="it did not run"),
        pytest.param([look(), stop(LOCKED), look(), stop(), look()], True, id="another start may have run meanwhile"),
        pytest.param([shell(71, "/proc is not readable", to="look")], False, id="nothing was called"),
        pytest.param([Reply("look", TimeoutError())], True, id="the stop may still be called"),
        pytest.param([look(), Reply("stop", TimeoutError()), look()], False, id="a stopped agent whose stop hangs"),
    ],
)
async def test_the_journal_notes_what_may_have_changed_the_agent(replies: list[Reply], *, touched: bool) -> None:
    _, host = await play(*replies)

    assert host.journal.touched is touched


async def test_a_command_that_was_not_sent_is_sent_after_another_check_of_the_claim() -> None:
    frozen = Reply("look", CommandNotSentError())

    outcome, host = await play(frozen, frozen, look("agentd"), stop(), look())

    assert outcome == Stopped((10,))
    assert host.checks == 3
    assert "Not sent: the worker process was frozen meanwhile." in host.text


async def test_a_lost_claim_stops_the_run_before_the_next_command() -> None:
    class ClaimFellError(Exception):
        pass

    async def lose_claim() -> None:
        raise ClaimFellError

    with pytest.raises(ClaimFellError):
        await play(before_command=lose_claim)


async def test_a_process_with_a_hidden_executable_is_not_signalled() -> None:
    outcome, host = await play(look("agentd?"), stop(), *[look("agentd?")] * 4)

    assert isinstance(outcome, NoPermission)
    assert "ocp_agentd 10 (S, executable not readable)" in outcome.sentence()
    assert host.signalled == []
    assert sum(host.waits) == 3.0


async def test_an_executable_is_hidden_in_the_last_moment_of_a_process() -> None:
    outcome, _ = await play(look("agentd"), stop(), look("agentd?"), look())

    assert outcome == Stopped((10,))


async def test_a_host_that_hides_processes_does_not_prove_a_stop() -> None:
    blind = Reply("look", Completed(0, None, "ocpfleet: look\nocpfleet: restricted\nocpfleet: end\n", ""))

    outcome, _ = await play(blind, stop(), blind)
    assert isinstance(outcome, NoPermission)
    assert "hides the processes of other users" in outcome.sentence()

    outcome, host = await play(look("agentd"), stop(), blind)
    assert outcome == Stopped((10,))
    assert "the host hides other users' processes" in host.text


async def test_an_orphan_that_the_user_may_not_signal() -> None:
    outcome, _ = await play(
        look("monagent"), stop(), look("monagent"), signal("TERM", 12, refused=True), look("monagent")
    )

    assert outcome == NoPermission("the agent's own stop left processes alive, and this user may not signal 12")


async def test_something_that_keeps_starting_the_agent_is_not_fought_forever() -> None:
    rounds = [
        reply
        for pid in range(20, 28)
        for reply in (look(f"monagent:{pid}"), signal("TERM", pid))
    ]  # fmt: skip
    outcome, _ = await play(look("monagent:19"), stop(), *rounds, look("monagent:28"))

    assert isinstance(outcome, StillRunning)
    assert outcome.pids == (28,)


async def test_a_greeting_before_the_output_is_ignored() -> None:
    seen = look("agentd").answer
    assert isinstance(seen, Completed)
    greeted = Reply("look", replace(seen, stdout="Welcome!\n" + seen.stdout))
    ok = Reply("stop", Completed(0, None, 'Welcome!\n{"successful":true,"message":"ok","error":""}', ""))

    assert (await play(greeted, ok, look()))[0] == Stopped((10,))
