"""Reads the output of our own scripts on a host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from workers.agent.host.processes import AgentProcess, Snapshot
from workers.agent.host.scripts import MARK
from workers.executor.base import Completed

_CALL = f"{MARK} call\n"
"""Stands in the output of the stop command between the first look and the agent's own stop."""


class UnreadableOutputError(Exception):
    """A script did not run to its end on the host, or wrote something that it never writes; the message says what."""


@dataclass(frozen=True, slots=True)
class StopResult:
    """What the stop command saw, and what the agent's own stop answered."""

    before: Snapshot
    """What the first look saw."""
    call: Completed | None
    """How the agent's own stop ended; None where it has not."""
    after: Snapshot | None
    """What the second look saw; None where it did not run to its end."""


@dataclass(frozen=True, slots=True)
class ProcessDetails:
    """What a survey tells of a live process beside what a look tells."""

    user: str | None
    """Its owner; None where the host does not say."""
    command: str
    """The words that it was started with, separated by blanks."""
    elapsed: int
    """For how many seconds it has been running."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a survey saw."""

    snapshot: Snapshot
    details: Mapping[int, ProcessDetails]
    """By pid."""


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


def read_look(completed: Completed) -> Snapshot:
    """Read the output of a look.

    Raises:
        UnreadableOutputError: the output is not whole.
    """
    return _parse_snapshot(_read_lines(completed, "look"))


def has_called_stop(completed: Completed) -> bool:
    """Return whether a stop command got as far as the agent's own stop."""
    return _CALL in completed.stdout


def read_stop(completed: Completed) -> StopResult:
    """Read the output of the stop command, be it whole or cut off.

    Raises:
        UnreadableOutputError: the first look did not run to its end, or wrote something that it never writes.
    """
    looked, called, rest = completed.stdout.partition(_CALL)
    before = _find_own_lines(looked)
    if not called or before[:1] != ["look"]:
        raise UnreadableOutputError(_quote_output(completed))
    reply, ended, rest = rest.rpartition(f"\n{MARK} status ")
    if not ended:
        over = completed.exit_status is not None or completed.signal is not None
        return StopResult(_parse_snapshot(before[1:]), replace(completed, stdout=rest) if over else None, None)
    status, _, looked = rest.partition("\n")
    after = _find_own_lines(looked)
    whole = (after[:1], after[-1:]) == (["look"], ["end"])
    call = Completed(int(status), None, reply, completed.stderr)
    return StopResult(_parse_snapshot(before[1:]), call, _parse_snapshot(after[1:-1]) if whole else None)


def read_survey(completed: Completed) -> Survey:
    """Read the output of a survey.

    Raises:
        UnreadableOutputError: the output is not whole.
    """
    lines = _read_lines(completed, "look")
    clock = [line.split() for line in lines if line.startswith("clock ")]
    if len(clock) != 1 or not all(word.isdecimal() for word in clock[0][1:]) or clock[0][2:] in ([], ["0"]):
        raise UnreadableOutputError("the script did not say for how long the host has been up")
    _, uptime, hertz = clock[0]
    about = [line for line in lines if line.startswith("about ")]
    details = dict(_parse_details(line, int(uptime), int(hertz)) for line in about)
    looked = [line for line in lines if line not in about and not line.startswith("clock ")]
    return Survey(_parse_snapshot(looked), details)


def read_signal(completed: Completed) -> Delivery:
    """Read the output of the signal command.

    Raises:
        UnreadableOutputError: the output is not whole.
    """
    pids: dict[str, list[int]] = {"sent": [], "refused": [], "gone": []}
    for line in _read_lines(completed, "signal"):
        word, _, pid = line.partition(" ")
        if word not in pids or not pid.isdecimal():
            raise _make_line_error(line)
        pids[word].append(int(pid))
    return Delivery(tuple(pids["sent"]), tuple(pids["refused"]))


def _parse_snapshot(lines: Sequence[str]) -> Snapshot:
    processes = tuple(_parse_process(line) for line in lines if line != "restricted")
    return Snapshot(tuple(sorted(processes, key=lambda process: process.name)), restricted="restricted" in lines)


def _parse_process(line: str) -> AgentProcess:
    match line.split(" ", maxsplit=5):
        case ["agent", pid, name, state, start, exe] if pid.isdecimal() and start.isdecimal():
            return AgentProcess(int(pid), name, state, int(start), exe)
        case ["unproved", pid, name, state, start] if pid.isdecimal() and start.isdecimal():
            return AgentProcess(int(pid), name, state, int(start), None)
        case _:
            raise _make_line_error(line)


def _parse_details(line: str, uptime: int, hertz: int) -> tuple[int, ProcessDetails]:
    match line.split(" ", maxsplit=4):
        case ["about", pid, start, user, *command] if pid.isdecimal() and start.isdecimal():
            elapsed = max(0, uptime - int(start) // hertz)
            return int(pid), ProcessDetails(None if user == "-" else user, " ".join(command).strip(), elapsed)
        case _:
            raise _make_line_error(line)


def _read_lines(completed: Completed, first: str) -> Sequence[str]:
    """Return the lines between the script's first line and its end mark, without our mark."""
    match _find_own_lines(completed.stdout):
        case [begin, *lines, "end"] if begin == first:
            return lines
        case _:
            raise UnreadableOutputError(_quote_output(completed))


def _find_own_lines(text: str) -> list[str]:
    return [line.removeprefix(MARK).strip() for line in text.splitlines() if line.startswith(MARK)]


def _make_line_error(line: str) -> UnreadableOutputError:
    return UnreadableOutputError(f"the script said {line!r}")


def _quote_output(completed: Completed) -> str:
    text = (completed.stderr or completed.stdout).strip()
    return text[-300:] or f"exit status {completed.exit_status}, no output"
