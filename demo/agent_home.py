"""The files of a stand-in agent's home: its programs, which are copies of a small shell, their scripts and settings."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = Path(__file__).parent / "standin"
_SHELLS = ("dash", "bash", "sh")
_CP = shutil.which("cp") or "/bin/cp"


class StandInError(Exception):
    """A stand-in agent could not be installed, or does not behave as it should; the message says how."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of a stand-in agent, in seconds. The defaults are the real agent's.

    Attributes:
        monagent_linger: From TERM until monagent ends.
        final_wait: Until agentd kills a service that does not end.
        query_wait: Until agentd gives up on the status of a wedged service.
        notice: Until agentd notices that a service it killed has ended.
        request_wait: Until the control program gives up on the status of a wedged agentd.
        poll: Between two polls of the control program.
        exit_polls: The number of polls before the control program answers with a time-out.
        heed_zombies: Whether an agentd that was not reaped counts as running, as with the real program. It is off,
            since the first process of some containers does not reap.
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
    """Write the programs into bin/ and their scripts into lib/, and make the folders that they use.

    Args:
        home: The agent's directory.
        names: The names of its processes.
        agentctl: The path of its control program.

    Raises:
        StandInError: This machine has no suitable shell.
    """
    for folder in ("bin", "conf", "lib", "log", "run"):
        (home / folder).mkdir(exist_ok=True)
    first, *others = (home / "bin" / name for name in names)
    shell = _find_shell(first)
    for other in others:
        _copy(shell, other)
    _copy(_SCRIPTS / "agentctl.sh", agentctl)
    agentctl.chmod(0o755)
    for script in ("common.sh", "agentd.sh", "service.sh"):
        _copy(_SCRIPTS / script, home / "lib" / script)


def write_settings(home: Path, pace: Pace) -> None:
    """Write the settings that the scripts read."""
    values = {name: getattr(pace, name) for name in Pace.__slots__}
    lines = [f"{name}={_format_value(value)}\n" for name, value in values.items()]
    (home / "conf" / "standin.conf").write_text("".join(lines))
    (home / "conf" / "agentctl.yaml").write_text(f"runDir: {home}/run\n")


def _find_shell(target: Path) -> Path:
    """Copy the first shell that works under another name to the target, and return its path.

    A multi-call binary does not work under another name: the name tells it which program to be.
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
    """Copy a file beside its target, then rename it, since a running program cannot be overwritten.

    A separate process writes the copy. If this process had the file open for writing, a child started by another
    thread would inherit it, and until that child closes it the program could not run ("Text file busy").
    """
    beside = target.with_name(f".{target.name}.new")
    subprocess.run([_CP, source, beside], check=True)
    beside.replace(target)


def _format_value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
