"""The CPU, memory and sockets of processes, read from /proc, and the resources of a program that ran to its end."""

import os
import re
import resource
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12
"""Places of user and system time in /proc/*/stat, counted after the state."""


class ProgramFailedError(Exception):
    """A measured program failed; the message contains the end of its output."""


@dataclass(frozen=True, slots=True)
class Used:
    """The resources that a program used, including children that it waited for."""

    wall_s: float
    cpu_s: float
    output: str
    """Its standard output."""


def measure_cpu(pids: Iterable[int]) -> float:
    """Return the CPU seconds that running processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[_UTIME]) + int(fields[_STIME])
    return total / _TICKS


def read_peak_rss(pid: int) -> int:
    """Return the peak resident memory of a running process, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def count_sockets(pid: int) -> int:
    """Return the number of open files and sockets of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def run_measured(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, failing: bool = False
) -> Used:
    """Run a program to its end, and measure it.

    Args:
        command: the program and its arguments.
        log: the file for its error output.
        environment: variables in addition to ours.
        failing: whether an exit status other than 0 is accepted.

    Raises:
        ProgramFailedError: its exit status is not 0.
    """
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with log.open("wb") as errors:
        child = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            output, _ = child.communicate()
        except BaseException:
            child.kill()
            child.wait()
            raise
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode and not failing:
        said = log.read_text(errors="replace")[-500:] or output.decode(errors="replace")[-500:]
        raise ProgramFailedError(f"{Path(command[0]).name} ended with {child.returncode}: {said}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(wall, cpu, output.decode(errors="replace"))
