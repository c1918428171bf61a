"""The commands that a host gets, and how the answers of our own scripts are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from typing_extensions import override

from core.command import Command
from core.host import Target
from workers.agent.processes import PROXY, AgentProcess, Sight, bin_directory, control_program, process_names
from workers.agent.scripts import LOOK, MARK, SIGNAL
from workers.executor.base import Completed


class UnreadableAnswerError(Exception):
    """A script did not run to its end on the host, or said something that it never says; the message tells."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a signal. Pids in neither had ended, or were another process by then, and were left alone."""

    sent: tuple[int, ...]
    """Pids that got it."""
    refused: tuple[int, ...]
    """Pids of living processes that this user may not signal."""

    @override
    def __str__(self) -> str:
        sent = ", ".join(map(str, self.sent)) or "none"
        return f"sent to {sent}" + f", refused for {', '.join(map(str, self.refused))}" * bool(self.refused)


def control_command(target: Target, verb: Literal["start", "status", "stop"]) -> Command:
    """Return a call of the agent's own control program."""
    return _for(target, Command.of(control_program(target), verb))


def look_command(target: Target) -> Command:
    """Return the command that lists the agent's live processes; `read_look` reads its answer."""
    return _look(target, bin_directory(target), process_names(target))


def proxy_look_command(target: Target) -> Command:
    """Return the command that lists the host's live pos proxies, wherever they are from; `read_look` reads it too."""
    return _look(target, "", (PROXY, PROXY, PROXY))


def _look(target: Target, directory: str, names: tuple[str, ...]) -> Command:
    return _for(target, Command.of("sh", "-c", LOOK, "ocpfleet-look", directory, *names))


def signal_command(target: Target, signal: str, processes: Iterable[AgentProcess]) -> Command:
    """Return the command that signals exactly these processes; `read_signal` reads its answer.

    Args:
        target: the host.
        signal: TERM or KILL.
        processes: whom it is for, as a look saw them. The host looks again before it sends.
    """
    meant = (word for process in processes for word in (str(process.pid), process.name, str(process.start_ticks)))
    return _for(target, Command.of("sh", "-c", SIGNAL, "ocpfleet-signal", signal, bin_directory(target), *meant))


def read_look(completed: Completed) -> Sight:
    """Read what the look command answered.

    Raises:
        UnreadableAnswerError: it did not run whole.
    """
    lines = _lines(completed, "look")
    processes = tuple(_process(line) for line in lines if line != "restricted")
    return Sight(tuple(sorted(processes, key=lambda process: process.name)), restricted="restricted" in lines)


def read_signal(completed: Completed) -> Delivery:
    """Read what the signal command answered.

    Raises:
        UnreadableAnswerError: it did not run whole.
    """
    pids: dict[str, list[int]] = {"sent": [], "refused": [], "gone": []}
    for line in _lines(completed, "signal"):
        word, _, pid = line.partition(" ")
        if word not in pids or not pid.isdecimal():
            raise UnreadableAnswerError(f"the script said {line!r}")
        pids[word].append(int(pid))
    return Delivery(tuple(pids["sent"]), tuple(pids["refused"]))


def _for(target: Target, command: Command) -> Command:
    return command.with_prefix("sudo", "-n") if target.sudo else command


def _lines(completed: Completed, first: str) -> list[str]:
    """Return what stands between the script's first line and its end mark, without our mark."""
    ours = [line.removeprefix(MARK).strip() for line in completed.stdout.splitlines() if line.startswith(MARK)]
    if len(ours) < 2 or (ours[0], ours[-1]) != (first, "end"):  # noqa: PLR2004 - the first line and the end mark
        said = (completed.stderr or completed.stdout).strip()
        raise UnreadableAnswerError(said[-300:] or f"exit status {completed.exit_status}, no output")
    return ours[1:-1]


def _process(line: str) -> AgentProcess:
    match line.split(" ", maxsplit=5):
        case ["agent", pid, name, state, start, exe] if pid.isdecimal() and start.isdecimal():
            return AgentProcess(int(pid), name, state, int(start), exe)
        case ["unproved", pid, name, state, start] if pid.isdecimal() and start.isdecimal():
            return AgentProcess(int(pid), name, state, int(start), None)
        case _:
            raise UnreadableAnswerError(f"the script said {line!r}")
