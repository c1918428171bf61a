"""The processes of this machine, read from /proc. Pid files are not trusted; a name alone is no reason to signal."""

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
        pid: Its process id.
        name: Its comm: the first 15 characters of the program's file name.
        exe: The file that it executes, even if that was deleted since; None for another user's process.
        state: The letter of its state: "S" sleeping, "T" stopped by a signal and so on. Never "Z".
        parent: The process id of its parent.
    """

    pid: int
    name: str
    exe: Path | None
    state: str
    parent: int

    def read_arguments(self) -> list[str]:
        """Return its command line; empty if it has ended."""
        try:
            raw = (_PROC / str(self.pid) / "cmdline").read_bytes()
        except OSError:
            return []
        return [os.fsdecode(part) for part in raw.split(b"\0")[:-1]]

    def read_directory(self) -> Path | None:
        """Return its working directory; None if it has ended or belongs to another user."""
        return _read_link(self.pid, "cwd")


def look(pid: int) -> Process | None:
    """Return a process; None if it does not exist, has ended, or is a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    state, parent = stat[stat.rindex(")") + 2 :].split(" ", 2)[:2]
    if state in "ZX":
        return None
    return Process(pid=pid, name=name, exe=_read_link(pid, "exe"), state=state, parent=int(parent))


def scan() -> Iterator[Process]:
    """Yield all live processes of this machine, in no order."""
    for entry in os.scandir(_PROC):
        if entry.name.isdigit() and (process := look(int(entry.name))):
            yield process


def send(pid: int, number: signal.Signals, still: Callable[[Process], bool]) -> bool:
    """Send a signal to a process if it is still the one that the caller means.

    A descriptor holds the process during the check, so that its id cannot pass to another process.

    Args:
        pid: Its process id.
        number: The signal.
        still: Returns whether a process is the one that the caller means.

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
    """Kill all processes that match, including those that they start meanwhile, and wait until none is left.

    Args:
        belongs: Returns whether a process matches.
        limit: Seconds to wait.
        what: The owner of the processes, for the error message.

    Raises:
        TimeoutError: Some were still alive after the limit.
    """
    end = time.monotonic() + limit
    while left := [process for process in scan() if belongs(process)]:
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: still alive {limit:g} s after SIGKILL: {left}")
        for process in sorted(left, key=lambda one: (not one.name.endswith("agentd"), one.pid)):
            send(process.pid, signal.SIGKILL, belongs)
        time.sleep(0.01)


def _read_link(pid: int, name: str) -> Path | None:
    try:
        target = (_PROC / str(pid) / name).readlink()
    except OSError:
        return None
    return Path(str(target).removesuffix(_DELETED))


def die_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent ends, for whatever reason.

    Raises:
        OSError: the kernel refused.
    """
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM)):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(0)
