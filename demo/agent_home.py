"""The files of a stand-in agent's home: its programs, which are copies of a small shell, their scripts and settings."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = Path(__file__).parent / "standin"
_SHELLS = ("dash", "bash", "sh")


class StandInError(Exception):
    """A stand-in agent could not be installed or did not do as it was told; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a stand-in lives; the defaults are the real agent's. All but exit_polls in seconds.

    Attributes:
        monagent_linger: How long monagent takes to leave after TERM.
        final_wait: How long agentd waits for a service to leave before it kills it.
        query_wait: How long agentd waits for a wedged service's status.
        notice: How long agentd takes to notice that a service it killed is gone.
        request_wait: How long the control program waits for a wedged agentd's status.
        poll: Between two looks of the control program at what it started or stopped.
        exit_polls: How often it looks before it answers with a time-out.
        heed_zombies: Whether an agentd that nobody reaps counts as running, as the real program has it. Off, since
            the first process of some containers reaps nobody.
    """

    monagent_linger: float = 3.0
    final_wait: float = 5.0
    query_wait: float = 5.0
    notice: float = 1.0
    request_wait: float = 10.0
    poll: float = 1.0
    exit_polls: int = 10
    heed_zombies: bool = False


def write_programs(home: Path, names: tuple[str, ...], agentctl: Path) -> None:
    """Write the programs into bin/ and what they run into lib/, beside the folders that they work in.

    Args:
        home: The agent's directory.
        names: Its processes' names.
        agentctl: Where its control program belongs.

    Raises:
        StandInError: No shell of this machine will do.
    """
    for folder in ("bin", "conf", "lib", "log", "run"):
        (home / folder).mkdir(exist_ok=True)
    first, *others = (home / "bin" / name for name in names)
    shell = _usable_shell(first)
    for other in others:
        _copy(shell, other)
    _copy(_SCRIPTS / "agentctl.sh", agentctl)
    agentctl.chmod(0o755)
    for script in ("common.sh", "agentd.sh", "service.sh"):
        _copy(_SCRIPTS / script, home / "lib" / script)


def write_settings(home: Path, pace: Pace) -> None:
    """Write the settings that the scripts read."""
    values = {name: getattr(pace, name) for name in Pace.__slots__}
    lines = [f"{name}={_shell_value(value)}\n" for name, value in values.items()]
    (home / "conf" / "standin.conf").write_text("".join(lines))
    (home / "conf" / "agentctl.yaml").write_text(f"runDir: {home}/run\n")


def _usable_shell(target: Path) -> Path:
    """Copy the first shell that works under another name to the target, and return where it was found.

    A multi-call binary does not: it chooses what to be by the name that it was called by.
    """
    for name in _SHELLS:
        found = shutil.which(name)
        if found is None:
            continue
        shell = Path(found).resolve()
        _copy(shell, target)
        probe = subprocess.run([target, "-c", "echo $0"], check=False, capture_output=True, timeout=10)
        if probe.stdout == os.fsencode(target) + b"\n":
            return shell
    raise StandInError("no shell here works under another name; install dash or bash")


def _copy(source: Path, target: Path) -> None:
    """Copy a file beside its target, then rename it: a running program cannot be written to.

    A process of its own does the writing. Were the new file open here, a child started by another thread meanwhile
    would inherit it, and as long as that has it nobody could run the program ("Text file busy").
    """
    beside = target.with_name(f".{target.name}.new")
    subprocess.run(["cp", source, beside], check=True)  # noqa: S607  # any cp will do
    beside.replace(target)


def _shell_value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
