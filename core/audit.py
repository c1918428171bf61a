"""What the audit keeps of a request: who made it, when, from where, what it asked for, which task, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Proof(StrEnum):
    """How the request proved that the named user made it."""

    NONE = "NONE"
    """It did not. The name is what the client claimed, and is kept only if such a user exists."""
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a proof, not a password
    """Name and password."""
    ACCESS_KEY = "ACCESS_KEY"
    """A signature."""
    LOCAL = "LOCAL"
    """It is a command on a machine that reaches the store. The name is that of the operating system's user."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change, or one refusal. It holds no secret and no body."""

    at: int
    """Milliseconds since the epoch."""
    user: str | None
    """The user; None where the request named none."""
    proof: Proof
    access_key: str | None
    """The AK that signed the request, if one did."""
    source: str
    """The client's address; for a command the machine's name."""
    method: str
    """GET, POST, DELETE …; COMMAND for a command."""
    path: str
    """The request's path, without its query; for a command its words."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Further things that the request names, shortened: `hostIds` to "1001, 1002 and 8 more"."""
    task_id: int | None = None
    """The task that was created or changed."""
    status: int = 200
    """The HTTP status of the reply; for a command 200."""
    code: int = 0
    """OCP's error code; 0 where there is none."""
    message: str = ""
    """An error's sentence."""
    trace_id: str = ""
    """Identifies the request in the log."""
    number: int = 0
    """Given by the store, ascending from 1."""
