"""Builds the commands that a host gets."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from core.command import Command
from core.host import Target
from workers.agent.host.processes import (
    PROXY,
    AgentProcess,
    get_bin_directory,
    get_control_program,
    get_process_names,
)
from workers.agent.host.scripts import LOOK, SIGNAL, STOP, SURVEY

ControlVerb: TypeAlias = Literal["start", "status", "stop", "version"]
"""What the agent's own control program can be told."""


def build_control_command(target: Target, verb: ControlVerb) -> Command:
    """Return a call of the agent's own control program."""
    return _add_sudo(target, Command.of(get_control_program(target), verb))


def build_service_command(target: Target, verb: ControlVerb, service: str) -> Command:
    """Return the call that starts or stops one of the agent's services, named as on the host."""
    return _add_sudo(target, Command.of(get_control_program(target), "service", verb, service))


def build_look_command(target: Target) -> Command:
    """Return the command that lists the agent's live processes; `read_look` reads its output."""
    return _build_look(target, get_bin_directory(target), get_process_names(target))


def build_proxy_look_command(target: Target) -> Command:
    """Return the command that lists the host's live pos proxies, of any agent; `read_look` reads its output."""
    return _build_look(target, "", (PROXY, PROXY, PROXY))


def _build_look(target: Target, directory: str, names: tuple[str, ...]) -> Command:
    return _add_sudo(target, Command.of("sh", "-c", LOOK, "ocpfleet-look", directory, *names))


def build_survey_command(target: Target) -> Command:
    """Return the command that tells all about the agent's live processes; `read_survey` reads its output."""
    words = (get_bin_directory(target), *get_process_names(target))
    return _add_sudo(target, Command.of("sh", "-c", SURVEY, "ocpfleet-survey", *words))


def build_stop_command(target: Target) -> Command:
    """Return the command that looks, calls the agent's own stop and looks again; `read_stop` reads its output."""
    words = (get_bin_directory(target), *get_process_names(target), get_control_program(target))
    return _add_sudo(target, Command.of("sh", "-c", STOP, "ocpfleet-stop", *words))


def build_signal_command(target: Target, signal: str, processes: Iterable[AgentProcess]) -> Command:
    """Return the command that signals exactly these processes; `read_signal` reads its output.

    Args:
        target: the host.
        signal: TERM or KILL.
        processes: as a look saw them. The host looks again before it signals.
    """
    words = (word for process in processes for word in (str(process.pid), process.name, str(process.start_ticks)))
    directory = get_bin_directory(target)
    return _add_sudo(target, Command.of("sh", "-c", SIGNAL, "ocpfleet-signal", signal, directory, *words))


def _add_sudo(target: Target, command: Command) -> Command:
    return command.with_prefix("sudo", "-n") if target.sudo else command
