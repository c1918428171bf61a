"""The commands that a host gets, and how the answers of our own scripts are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from typing_extensions import override

from core.command import Command
from core.host import Target
from workers.agent.host.processes import PROXY, AgentProcess, Sight, bin_directory, control_program, process_names
from workers.agent.host.scripts import LOOK, MARK, SIGNAL, STOP, SURVEY
from workers.executor.base import Completed

_CALL = f"{MARK} call\n"
"""What stands in the stop command's answer between the first look and the agent's own stop."""


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


Word: TypeAlias = Literal["start", "status", "stop", "version"]
"""What the agent's own control program can be told."""


def control_command(target: Target, verb: Word) -> Command:
    """Return a call of the agent's own control program."""
    return _for(target, Command.of(control_program(target), verb))


def service_command(service: str, target: Target, verb: Word) -> Command:
    """Return the same for one of the agent's services, named without the prefix, where the verb is start or stop."""
    if verb not in {"start", "stop"}:
        return control_command(target, verb)
    return _for(target, Command.of(control_program(target), "service", verb, f"{target.agent_prefix}_{service}"))


def survey_command(target: Target) -> Command:
    """Return the command that says all about the agent's live processes; `read_survey` reads its answer."""
    words = (bin_directory(target), *process_names(target))
    return _for(target, Command.of("sh", "-c", SURVEY, "ocpfleet-survey", *words))


def look_command(target: Target) -> Command:
    """Return the command that lists the agent's live processes; `read_look` reads its answer."""
    return _look(target, bin_directory(target), process_names(target))


def stop_command(target: Target) -> Command:
    """Return the command that looks, calls the agent's own stop and looks again; `read_stop` reads its answer."""
    words = (bin_directory(target), *process_names(target), control_program(target))
    return _for(target, Command.of("sh", "-c", STOP, "ocpfleet-stop", *words))


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
    return _sight(_lines(completed, "look"))


def _sight(lines: Sequence[str]) -> Sight:
    processes = tuple(_process(line) for line in lines if line != "restricted")
    return Sight(tuple(sorted(processes, key=lambda process: process.name)), restricted="restricted" in lines)


@dataclass(frozen=True, slots=True)
class StopSeen:
    """What the stop command saw and got as an answer."""

    before: Sight
    call: Completed | None
    """How the agent's own stop ended; None where it has not."""
    after: Sight | None
    """None where the second look did not come to its end."""


def called_stop(completed: Completed) -> bool:
    """Return whether a stop command got so far that it called the agent's own stop."""
    return _CALL in completed.stdout


def read_stop(completed: Completed) -> StopSeen:
    """Read what the stop command answered, be it whole or cut off.

    Raises:
        UnreadableAnswerError: the first look did not run whole, or said something that it never says.
    """
    looked, called, rest = completed.stdout.partition(_CALL)
    before = _ours(looked)
    if not called or before[:1] != ["look"]:
        raise UnreadableAnswerError(_said(completed))
    said, ended, rest = rest.rpartition(f"\n{MARK} status ")
    if not ended:
        over = completed.exit_status is not None or completed.signal is not None
        return StopSeen(_sight(before[1:]), replace(completed, stdout=rest) if over else None, None)
    status, _, looked = rest.partition("\n")
    after = _ours(looked)
    whole = (after[:1], after[-1:]) == (["look"], ["end"])
    call = Completed(int(status), None, said, completed.stderr)
    return StopSeen(_sight(before[1:]), call, _sight(after[1:-1]) if whole else None)


@dataclass(frozen=True, slots=True)
class About:
    """What a survey says of a live process beside what a look does."""

    user: str | None
    """Its owner; None where the host does not say."""
    command: str
    """The words that it was started with, a blank between two."""
    elapsed: int
    """For how many seconds it has been running."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a survey saw."""

    sight: Sight
    about: Mapping[int, About]
    """By pid."""


def read_survey(completed: Completed) -> Survey:
    """Read what the survey command answered.

    Raises:
        UnreadableAnswerError: it did not run whole.
    """
    lines = _lines(completed, "look")
    clock = [line.split() for line in lines if line.startswith("clock ")]
    if len(clock) != 1 or not all(word.isdecimal() for word in clock[0][1:]) or clock[0][2:] in ([], ["0"]):
        raise UnreadableAnswerError("the script did not say for how long the host has been up")
    _, uptime, hertz = clock[0]
    told = [line for line in lines if line.startswith("about ")]
    about = dict(_about(line, int(uptime), int(hertz)) for line in told)
    return Survey(_sight([line for line in lines if line not in told and not line.startswith("clock ")]), about)


def _about(line: str, uptime: int, hertz: int) -> tuple[int, About]:
    match line.split(" ", maxsplit=4):
        case ["about", pid, start, user, *command] if pid.isdecimal() and start.isdecimal():
            elapsed = max(0, uptime - int(start) // hertz)
            return int(pid), About(None if user == "-" else user, " ".join(command).strip(), elapsed)
        case _:
            raise UnreadableAnswerError(f"the script said {line!r}")


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
    ours = _ours(completed.stdout)
    if len(ours) < 2 or (ours[0], ours[-1]) != (first, "end"):  # noqa: PLR2004 - the first line and the end mark
        raise UnreadableAnswerError(_said(completed))
    return ours[1:-1]


def _ours(text: str) -> list[str]:
    return [line.removeprefix(MARK).strip() for line in text.splitlines() if line.startswith(MARK)]


def _said(completed: Completed) -> str:
    said = (completed.stderr or completed.stdout).strip()
    return said[-300:] or f"exit status {completed.exit_status}, no output"


def _process(line: str) -> AgentProcess:
    match line.split(" ", maxsplit=5):
        case ["agent", pid, name, state, start, exe] if pid.isdecimal() and start.isdecimal():
            return AgentProcess(int(pid), name, state, int(start), exe)
        case ["unproved", pid, name, state, start] if pid.isdecimal() and start.isdecimal():
            return AgentProcess(int(pid), name, state, int(start), None)
        case _:
            raise UnreadableAnswerError(f"the script said {line!r}")
