"""Reads what the agent's control program replied: its JSON tells, its exit status does not.

The program exits with 255 for its own refusals, as an ssh client does for a broken connection, and it can write log
lines before its JSON.
"""

import json
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from workers.executor.base import Completed


@dataclass(frozen=True, slots=True)
class Accepted:
    """It says that the agent is stopped, or started, or how it is.

    The first two can be wrong: it looks only at the process that its pid file names.
    """

    message: object = field(default=None, compare=False)
    """What it says beside that: "ok", a version, or the document of a status."""


@dataclass(frozen=True, slots=True)
class Declined:
    """It says no."""

    code: str
    """The agent's code, such as wait_for_exit_timeout; `error` where it gave plain text."""
    detail: str
    """Its whole text."""

    @property
    def lock_held(self) -> bool:
        """Whether another start or stop of this agent runs just now."""
        return self.code == "fetch_admin_lock_failed" and "file exists" in self.detail

    @property
    def lock_cleaned(self) -> bool:
        """Whether it met a broken lock and removed it: the very next call works."""
        return self.code == "clean_dangling_admin_lock_failed"

    @property
    def exit_awaited(self) -> bool:
        """Whether it told agentd to end and gave up waiting for that."""
        return self.code == "wait_for_exit_timeout"

    @property
    def ready_awaited(self) -> bool:
        """Whether it started agentd and gave up waiting for all services. agentd stays."""
        return self.code == "wait_for_ready_timeout"

    @property
    def ended_at_once(self) -> bool:
        """Whether the agentd that it started did not live for a second."""
        return self.code == "agentd_exited_quickly"

    @property
    def pid_file_bad(self) -> bool:
        """Whether its pid file is empty or not a number: it cannot stop anything before that file is gone."""
        return self.code == "read_pid_failed"


@dataclass(frozen=True, slots=True)
class NoProgram:
    """There is no such program, or it cannot be executed."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """This user may not do it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The reply is nothing that the program or a shell is known to say."""

    detail: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The program did not end within the limit."""

    limit_seconds: float


Reply: TypeAlias = Accepted | Declined | NoProgram | Forbidden | Unclear | NoAnswer

_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_CODE = re.compile(r"\bcode=(\w+)")
_PERMISSION_ERRORS = ("permission denied", "operation not permitted")
_SUDO_REFUSAL = re.compile(
    r"sudo: .*(password is required|terminal is required|no tty|may not run|not allowed|effective uid)"
    r"|is not in the sudoers file|may not run sudo|sudo: (command )?not found",
    re.IGNORECASE,
)
_SUDO_FINDS_NOTHING = re.compile(r"^sudo: .*: command not found", re.MULTILINE)


def read_reply(completed: Completed) -> Reply:
    """Return what a call of the control program that has ended means."""
    document = _find_json(completed.stdout) or _find_json(completed.stderr)
    if document is None:
        return _read_plain_reply(completed)
    if document.get("successful") is True:
        return Accepted(document.get("message"))
    detail = str(document.get("error") or document.get("message") or "no reason given").strip()
    code = _CODE.search(detail)
    if code and code.group(1) == "decode_result_failed" and _contains_success(detail):
        return Accepted()
    if any(text in detail for text in _PERMISSION_ERRORS):
        return Forbidden(f"the agent's control program answered: {detail}")
    return Declined(code.group(1) if code else "error", detail)


def _contains_success(detail: str) -> bool:
    """Return whether the control program failed to decode a reply of agentd that says yes.

    It says so of every `service stop` and `service start` that was done: agentd replies without a result, and the
    program takes that for a fault.
    """
    start = detail.find("{", detail.find("decode resp"))
    try:
        document, _ = json.JSONDecoder().raw_decode(detail, max(start, 0))
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("successful") is True


def find_sudo_refusal(completed: Completed) -> str | None:
    """Return sudo's own words where sudo said no; None otherwise."""
    for line in completed.stderr.splitlines():
        if _SUDO_REFUSAL.search(line) and not _SUDO_FINDS_NOTHING.search(line):
            return line.strip()
    return None


def _read_plain_reply(completed: Completed) -> Reply:
    refusal = find_sudo_refusal(completed)
    if refusal is not None:
        return Forbidden(refusal)
    missing = completed.exit_status in (_NOT_EXECUTABLE, _NOT_FOUND)
    if missing or _SUDO_FINDS_NOTHING.search(completed.stderr):
        return NoProgram()
    ended = f"signal {completed.signal}" if completed.signal else f"exit status {completed.exit_status}"
    text = " ".join((completed.stderr or completed.stdout).split())[-300:]
    return Unclear(f"the agent's control program ended with {ended} and said {text!r}")


def _find_json(text: str) -> dict[str, object] | None:
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
