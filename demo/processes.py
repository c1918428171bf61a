"""What runs on this machine, read from /proc: never trusted from a pid file, never signalled by name alone."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PROC = Path("/proc")
_DELETED = " (deleted)"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Process:
    """One live process, as /proc described it a moment ago.

    Attributes:
        pid: Its number.
        name: Its comm: the first 15 characters of the program's file name.
        exe: The file it executes, also when that has been deleted since; None for another user's process.
        state: The letter of its state: "S" sleeping, "T" stopped by a signal and so on. Never "Z".
        parent: The number of its parent.
    """

    pid: int
    name: str
    exe: Path | None
    state: str
    parent: int

    def arguments(self) -> list[str]:
        """Its command line; empty when it is gone."""
        try:
            raw = (_PROC / str(self.pid) / "cmdline").read_bytes()
        except OSError:
            return []
        return [os.fsdecode(part) for part in raw.split(b"\0")[:-1]]

    def directory(self) -> Path | None:
        """Its working directory; None when it is gone or another user's."""
        return _link(self.pid, "cwd")


def look(pid: int) -> Process | None:
    """Describe a process, or return None when it is gone, a zombie or not there."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    state, parent = stat[stat.rindex(")") + 2 :].split(" ", 2)[:2]
    if state in "ZX":
        return None
    return Process(pid=pid, name=name, exe=_link(pid, "exe"), state=state, parent=int(parent))


def scan() -> Iterator[Process]:
    """Describe all live processes of this machine, in no order."""
    for entry in os.scandir(_PROC):
        if entry.name.isdigit() and (process := look(int(entry.name))):
            yield process


def send(pid: int, number: signal.Signals, still: Callable[[Process], bool]) -> bool:
    """Send a signal to a process, provided that it still is what the caller believes it to be.

    The process is held by a descriptor while it is looked at, so its number cannot pass to another one in between.

    Returns:
        Whether the signal was sent.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        process = look(pid)
        if process is None or not still(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def kill_all(belongs: Callable[[Process], bool], *, limit: float, what: str) -> None:
    """Kill every process that belongs, those that they start meanwhile included, and wait until none is left.

    Args:
        belongs: Which processes.
        limit: How long to wait, in seconds.
        what: Whose processes they are, for the error's sentence.

    Raises:
        TimeoutError: Some were still there after the limit.
    """
    end = time.monotonic() + limit
    while left := [process for process in scan() if belongs(process)]:
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: still alive {limit:g} s after SIGKILL: {left}")
        for process in sorted(left, key=lambda one: (not one.name.endswith("agentd"), one.pid)):
            send(process.pid, signal.SIGKILL, belongs)
        time.sleep(0.01)


def _link(pid: int, name: str) -> Path | None:
    try:
        target = (_PROC / str(pid) / name).readlink()
    except OSError:
        return None
    return Path(str(target).removesuffix(_DELETED))


def die_with_parent() -> None:
    """Have the kernel send this process SIGTERM when the one that started it ends, however it ends.

    Raises:
        OSError: the kernel refused.
    """
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM)):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(0)
