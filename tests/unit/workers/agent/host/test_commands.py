"""The commands for a host, and how the output of our own scripts is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.scripted import HOME, TARGET
from workers.agent.host.commands import (
    build_control_command,
    build_look_command,
    build_service_command,
    build_signal_command,
    build_survey_command,
)
from workers.agent.host.output import ProcessDetails, UnreadableOutputError, read_look, read_signal, read_survey
from workers.agent.host.processes import AgentProcess
from workers.executor.base import Completed


def said(*lines: str, stderr: str = "", status: int = 0) -> Completed:
    return Completed(status, None, "".join(f"{line}\n" for line in lines), stderr)


def test_a_process_is_read_with_blanks_in_its_path_and_a_deleted_program() -> None:
    sight = read_look(
        said(
            "ocpfleet: look",
            "ocpfleet: agent 9 ocp_agentd T 123 /opt/my agent/bin/ocp_agentd (deleted)",
            "ocpfleet: end",
        )
    )

    assert sight.processes == (AgentProcess(9, "ocp_agentd", "T", 123, "/opt/my agent/bin/ocp_agentd (deleted)"),)
    assert sight.processes[0].is_agentd
    assert not sight.restricted


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("ocpfleet: look",),
        ("ocpfleet: end",),
        ("ocpfleet: look", "ocpfleet: agent 9 ocp_agentd S 1 /x"),
        ("ocpfleet: look", "ocpfleet: agent nine ocp_agentd S 1 /x", "ocpfleet: end"),
        ("ocpfleet: look", "ocpfleet: surprise", "ocpfleet: end"),
        ("ocpfleet: signal", "ocpfleet: end"),
    ],
)
def test_an_incomplete_look_is_unreadable(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableOutputError):
        read_look(said(*lines))


def test_a_look_that_did_not_run_says_why() -> None:
    with pytest.raises(UnreadableOutputError, match="Argument list too long"):
        read_look(said(stderr="sh: 19: grep: Argument list too long", status=72))
    with pytest.raises(UnreadableOutputError, match="exit status 3, no output"):
        read_look(said(status=3))


def test_what_became_of_each_signal_is_read() -> None:
    delivery = read_signal(
        said("ocpfleet: signal", "ocpfleet: sent 4", "ocpfleet: gone 5", "ocpfleet: refused 6", "ocpfleet: end")
    )

    assert (delivery.sent, delivery.refused) == ((4,), (6,))
    assert str(delivery) == "sent to 4, refused for 6"
    with pytest.raises(UnreadableOutputError):
        read_signal(said("ocpfleet: signal", "ocpfleet: sent x", "ocpfleet: end"))


def test_people_see_a_scripts_purpose_and_the_host_gets_its_text() -> None:
    process = AgentProcess(4, "ocp_agentd", "S", 99, f"{HOME}/bin/ocp_agentd")

    command = build_signal_command(TARGET, "TERM", [process])

    assert command.render_masked() == (
        f"sh -c <signal the agent's processes> ocpfleet-signal TERM {HOME}/bin 4 ocp_agentd 99"
    )
    assert "kill -s" in command.render()
    assert command.render().endswith(f" ocpfleet-signal TERM {HOME}/bin 4 ocp_agentd 99")


def test_input_never_becomes_shell_text() -> None:
    nasty = replace(TARGET, agent_home="/opt/$(touch x);'", agent_prefix="o`p")

    assert (
        build_look_command(nasty)
        .render()
        .endswith("'/opt/$(touch x);'\"'\"'/bin' 'o`p_agentd' 'o`p_mgragent' 'o`p_monagent'")
    )


def test_a_survey_tells_what_a_look_tells_and_more() -> None:
    survey = read_survey(
        said(
            "ocpfleet: look",
            "ocpfleet: agent 9 ocp_agentd S 123 /x/bin/ocp_agentd",
            "ocpfleet: unproved 10 ocp_mgragent S 5000000",
            "ocpfleet: about 9 123 admin ocp_agentd -c /x/conf/agentd.yaml ",
            "ocpfleet: about 10 5000000 - ",
            "ocpfleet: clock 3601 100",
            "ocpfleet: end",
        )
    )

    assert survey.snapshot.pids == (9, 10)
    assert survey.details == {
        9: ProcessDetails("admin", "ocp_agentd -c /x/conf/agentd.yaml", 3600),
        10: ProcessDetails(None, "", 0),
    }


@pytest.mark.parametrize(
    "lines",
    [
        ("ocpfleet: look", "ocpfleet: end"),
        ("ocpfleet: look", "ocpfleet: clock 5 0", "ocpfleet: end"),
        ("ocpfleet: look", "ocpfleet: clock five 100", "ocpfleet: end"),
        ("ocpfleet: look", "ocpfleet: clock 5 100"),
        ("ocpfleet: look", "ocpfleet: about nine 1 me x", "ocpfleet: clock 5 100", "ocpfleet: end"),
        ("ocpfleet: look", "ocpfleet: surprise", "ocpfleet: clock 5 100", "ocpfleet: end"),
    ],
)
def test_an_incomplete_survey_is_unreadable(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableOutputError):
        read_survey(said(*lines))


def test_the_commands_for_one_service() -> None:
    sudo = replace(TARGET, sudo=True)
    stop = build_service_command(TARGET, "stop", "ocp_monagent").render_masked()
    assert stop == f"{HOME}/bin/ocp_agentctl service stop ocp_monagent"
    assert build_control_command(sudo, "status").render_masked() == f"sudo -n {HOME}/bin/ocp_agentctl status"
    masked = build_survey_command(TARGET).render_masked()
    assert masked.startswith("sh -c <survey")
    assert masked.endswith(f"ocpfleet-survey {HOME}/bin ocp_agentd ocp_mgragent ocp_monagent")
