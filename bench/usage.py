"""What processes use, read from /proc, and what a program that was run to its end used."""

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
"""Where user and system time stand after the state in /proc/*/stat."""


class ProgramFailedError(Exception):
    """A program that was measured failed; the sentence has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a program used, its children that it waited for included."""

    wall_s: float
    cpu_s: float
    output: str
    """What it wrote to its standard output."""


def cpu_of(pids: Iterable[int]) -> float:
    """Return the CPU seconds that these processes, which run, have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[_UTIME]) + int(fields[_STIME])
    return total / _TICKS


def peak_rss_of(pid: int) -> int:
    """Return the most memory that a running process ever had resident, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def sockets_of(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def run_measured(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, failing: bool = False
) -> Used:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        log: where its error output goes.
        environment: variables beside ours.
        failing: whether an exit status other than 0 is accepted.

    Raises:
        ProgramFailedError: it failed.
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
