"""Stand-in OCP agents: three real processes and a control program, in a home directory of their own.

They behave like the real agent in everything that a remote stop can notice: answers, exit codes, times, pid files, the
lock, and the cases in which "ok" is wrong. The programs are the shell scripts under standin/, run by copies of a small
shell, so that the processes have the names and the executables of an agent.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from demo import processes
from demo.agent_home import Pace, StandInError, write_programs, write_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.processes import Process

__all__ = ["SERVICES", "Command", "Pace", "StandInAgent", "StandInError", "destroy_under"]

SERVICES = ("mgragent", "monagent")
"""The services of agentd, without the prefix, in the order in which it stops them."""

_PREFIX = re.compile(r"[a-z][a-z0-9]{0,5}")
_LIMIT = 5.0  # seconds until a signal must have had its effect
_LOOKS, _BETWEEN = 50, 0.02  # polls and their interval in seconds, while a new child runs exec


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the command log: the start or the end of a call of the control program.

    Attributes:
        at_ms: The time, in milliseconds since the epoch.
        pid: The control program's process id.
        edge: "start", or "end" just before the answer. A call that was killed has no end.
        verb: "stop", "start" and so on.
        claim: The caller's value of OCPFLEET_CLAIM; None if it was not set.
    """

    at_ms: int
    pid: int
    edge: str
    verb: str
    claim: str | None


@dataclass(frozen=True, slots=True)
class StandInAgent:
    """One stand-in agent. It holds no state: any process that knows the home can make one and use it.

    Attributes:
        home: Its directory, absolute, without symbolic links.
        prefix: The prefix of its programs' names: "ocp", or "ob" for the open-source build.
    """

    home: Path
    prefix: str = "ocp"

    @classmethod
    def install(
        cls, home: Path, *, prefix: str = "ocp", monagent_linger: float = 3.0, pace: Pace | None = None
    ) -> Self:
        """Make the home directory with its programs, and start nothing.

        Args:
            home: The directory; missing parents are made. The programs of an agent that is there are replaced.
            prefix: The prefix of the programs' names: up to six small letters and digits.
            monagent_linger: Seconds from TERM until monagent ends; ignored if a pace is given.
            pace: All times.

        Raises:
            StandInError: The prefix is too long for a process's name, or this machine has no suitable shell.
        """
        if not _PREFIX.fullmatch(prefix):
            raise StandInError(
                f"{prefix!r} is not a valid prefix: use up to six small letters and digits, a letter first"
            )
        home.mkdir(parents=True, exist_ok=True)
        agent = cls(home.resolve(), prefix)
        write_programs(agent.home, agent.names, agent.agentctl)
        write_settings(agent.home, pace or Pace(monagent_linger=monagent_linger))
        return agent

    @classmethod
    def at(cls, home: str | os.PathLike[str], prefix: str = "ocp") -> Self:
        """Return the agent that is installed in a home, maybe by another process."""
        return cls(Path(home).resolve(), prefix)

    @property
    def agentctl(self) -> Path:
        """The control program."""
        return self.home / "bin" / f"{self.prefix}_agentctl"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its three processes, agentd first."""
        return tuple(f"{self.prefix}_{name}" for name in ("agentd", *SERVICES))

    def control(self, *args: str, claim: str | None = None) -> subprocess.CompletedProcess[str]:
        """Call the control program and wait up to a minute for its answer.

        Args:
            args: Its arguments, such as "stop".
            claim: The value of OCPFLEET_CLAIM, which the command log repeats.
        """
        environment = {**os.environ, "OCPFLEET_CLAIM": claim} if claim else None
        command = [str(self.agentctl), *args]
        return subprocess.run(
            command, capture_output=True, check=False, env=environment, stdin=subprocess.DEVNULL, text=True, timeout=60
        )

    def start(self) -> None:
        """Start it and wait until all three processes run.

        Raises:
            StandInError: It did not start; the message is the control program's.
        """
        answer = self.control("start")
        if answer.returncode:
            raise StandInError(f"{self.home} did not start: {answer.stderr}")

    def list_processes(self) -> list[tuple[int, str]]:
        """Return its live processes as (pid, name). They are found by name and executable, whoever started them."""
        return sorted((process.pid, process.name) for process in processes.scan() if self._owns(process))

    def find_pid(self, name: str) -> int:
        """Return the pid of the one live process with this name, given with or without the prefix.

        A process that starts a child appears twice for a moment, until the child has run exec.

        Raises:
            StandInError: There is no such process, or more than one.
        """
        full = name if name in self.names else f"{self.prefix}_{name}"
        for _ in range(_LOOKS):
            pids = [pid for pid, found in self.list_processes() if found == full]
            if len(pids) <= 1:
                break
            time.sleep(_BETWEEN)
        if len(pids) != 1:
            raise StandInError(f"{self.home} has {len(pids)} live {full}, one was expected")
        return pids[0]

    def wedge(self, name: str) -> int:
        """Send SIGSTOP to a process, so that it reacts to nothing but KILL, and return its pid."""
        pid = self.find_pid(name)
        self._signal(pid, signal.SIGSTOP, until=lambda process: process is None or process.state == "T")
        return pid

    def unwedge(self, name: str) -> int:
        """Continue a wedged process, and return its pid."""
        pid = self.find_pid(name)
        self._signal(pid, signal.SIGCONT, until=lambda process: process is None or process.state != "T")
        return pid

    def kill(self, name: str) -> int:
        """Send SIGKILL to a process, wait for its end, and return its pid. Without agentd, its services are orphans."""
        pid = self.find_pid(name)
        self._signal(pid, signal.SIGKILL, until=lambda process: process is None)
        return pid

    def read_commands(self) -> list[Command]:
        """Return the command log, oldest first."""
        log = self.home / "log" / "commands.log"
        if not log.exists():
            return []
        return [_parse_command(line) for line in log.read_text().splitlines()]

    def destroy(self) -> None:
        """Kill all processes of this home, whatever their state. The files stay.

        Raises:
            TimeoutError: A process was still alive after five seconds.
        """
        destroy_under(self.home)

    def _owns(self, process: Process) -> bool:
        return process.name in self.names and process.exe is not None and process.exe.parent == self.home / "bin"

    def _signal(self, pid: int, number: signal.Signals, *, until: Callable[[Process | None], bool]) -> None:
        if not processes.send(pid, number, self._owns):
            raise StandInError(f"process {pid} of {self.home} went away before it was sent {number.name}")
        end = time.monotonic() + _LIMIT
        while not until(processes.look(pid)):
            if time.monotonic() > end:
                raise StandInError(f"process {pid} of {self.home} does not show {number.name} after {_LIMIT:g} s")
            time.sleep(0.002)


def destroy_under(root: Path, *, limit: float = _LIMIT) -> None:
    """Kill all processes of all agents whose homes are at or below a directory.

    These are the agents' own processes, running control programs, and children that either has just started.

    Args:
        root: The directory; it need not exist.
        limit: Seconds to wait until all of them have ended.

    Raises:
        TimeoutError: A process was still alive after the limit.
    """
    real = root.resolve()

    def belongs(process: Process) -> bool:
        if process.exe is None:
            return False
        if process.exe.is_relative_to(real) and process.exe.name.endswith(("_agentd", "_mgragent", "_monagent")):
            return True
        if process.name == "sleep":
            directory = process.read_directory()
            return directory is not None and directory.is_relative_to(real) and (directory / "run").is_dir()
        if process.name == "setsid" or process.name.endswith("_agentctl"):
            return any(Path(argument).is_relative_to(real) for argument in process.read_arguments()[1:2])
        return False

    processes.kill_all(belongs, limit=limit, what=str(root))


def _parse_command(line: str) -> Command:
    at_ms, pid, edge, verb, claim = line.split(" ", 4)
    return Command(int(at_ms), int(pid), edge, verb, None if claim == "-" else claim)
