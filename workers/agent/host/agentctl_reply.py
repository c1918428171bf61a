"""What the agent's control program answered, told by its JSON and not by its exit status.

The program exits with 255 for its own refusals, as an ssh client does for a broken connection, and it can write log
lines before its JSON, so the status proves nothing.
"""

import json
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from workers.executor.base import Completed


@dataclass(frozen=True, slots=True)
class Accepted:
    """It says that the agent is stopped, started, or how it is.

    The first two can be wrong: it looks only at the process that its pid file names.
    """

    message: object = field(default=None, compare=False)
    """What it says beside that: "ok", or the document of a status."""


@dataclass(frozen=True, slots=True)
class Declined:
    """It says no."""

    code: str
    """The agent's code, such as wait_for_exit_timeout; `error` where it gave a plain text."""
    detail: str
    """Its whole text."""

    @property
    def lock_held(self) -> bool:
        """Whether another start or stop of this agent runs just now."""
        return self.code == "fetch_admin_lock_failed" and "file exists" in self.detail

    @property
    def lock_cleaned(self) -> bool:
        """Whether it tripped over a broken lock and removed it: the very next call works."""
        return self.code == "clean_dangling_admin_lock_failed"

    @property
    def exit_awaited(self) -> bool:
        """Whether it has told agentd to end and stopped waiting before that was so."""
        return self.code == "wait_for_exit_timeout"

    @property
    def ready_awaited(self) -> bool:
        """Whether it has started agentd and stopped waiting before all services ran. agentd stays."""
        return self.code == "wait_for_ready_timeout"

    @property
    def ended_at_once(self) -> bool:
        """Whether the agentd that it started did not live for a second."""
        return self.code == "agentd_exited_quickly"

    @property
    def pid_file_bad(self) -> bool:
        """Whether its pid file is empty or no number: until the file is gone it cannot stop anything."""
        return self.code == "read_pid_failed"


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such program, or it cannot be executed."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """This user may not do it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing that the program or a shell is known to say."""

    detail: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """It did not end within the limit."""

    limit_seconds: float


Answer: TypeAlias = Accepted | Declined | Missing | Forbidden | Unclear | NoAnswer

_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_CODE = re.compile(r"\bcode=(\w+)")
_NO_RIGHT = ("permission denied", "operation not permitted")
_SUDO_REFUSES = re.compile(
    r"sudo: .*(password is required|terminal is required|no tty|may not run|not allowed|effective uid)"
    r"|is not in the sudoers file|may not run sudo|sudo: (command )?not found",
    re.IGNORECASE,
)
_SUDO_FINDS_NOTHING = re.compile(r"^sudo: .*: command not found", re.MULTILINE)


def read_answer(completed: Completed) -> Answer:
    """Tell what an ended call of the control program means."""
    said = _json_of(completed.stdout) or _json_of(completed.stderr)
    if said is None:
        return _without_json(completed)
    if said.get("successful") is True:
        return Accepted(said.get("message"))
    detail = str(said.get("error") or said.get("message") or "no reason given").strip()
    code = _CODE.search(detail)
    if code and code.group(1) == "decode_result_failed" and _succeeded(detail):
        return Accepted()
    if any(text in detail for text in _NO_RIGHT):
        return Forbidden(f"the agent's control program answered: {detail}")
    return Declined(code.group(1) if code else "error", detail)


def _succeeded(detail: str) -> bool:
    """Return whether the control program stumbled over agentd's answer, which was yes.

    That is what it says of every `service stop` and `service start` that was done: agentd answers without a result,
    and the program takes that for a fault.
    """
    start = detail.find("{", detail.find("decode resp"))
    try:
        said, _ = json.JSONDecoder().raw_decode(detail, max(start, 0))
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("successful") is True


def refused_by_sudo(completed: Completed) -> str | None:
    """Return sudo's own words where it was sudo that said no; None otherwise."""
    for line in completed.stderr.splitlines():
        if _SUDO_REFUSES.search(line) and not _SUDO_FINDS_NOTHING.search(line):
            return line.strip()
    return None


def _without_json(completed: Completed) -> Answer:
    refusal = refused_by_sudo(completed)
    if refusal is not None:
        return Forbidden(refusal)
    missing = completed.exit_status in (_NOT_EXECUTABLE, _NOT_FOUND)
    if missing or _SUDO_FINDS_NOTHING.search(completed.stderr):
        return Missing()
    ended = f"signal {completed.signal}" if completed.signal else f"exit status {completed.exit_status}"
    said = " ".join((completed.stderr or completed.stdout).split())[-300:]
    return Unclear(f"the agent's control program ended with {ended} and said {said!r}")


def _json_of(text: str) -> dict[str, object] | None:
    """Return the last line that is a JSON object with the program's keys."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict) and "successful" in value:
                return value
    return None
