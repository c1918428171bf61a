"""What the audit keeps of a request: who, when, from where, what, which task, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Proof(StrEnum):
    """How sure it is that the named user made the request."""

    NONE = "NONE"
    """Not proved: the name is what the client claimed, kept only where there is such a user."""
    PASSWORD = "PASSWORD"  # noqa: S105 - a word, no password
    """Name and password."""
    ACCESS_KEY = "ACCESS_KEY"
    """A signature."""
    LOCAL = "LOCAL"
    """A command on a machine that reaches the store; the name is that of the operating system's user."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change or one refusal. Holds no secret and no body."""

    at: int
    """Milliseconds since the epoch."""
    user: str | None
    """Who; None where nobody was named."""
    proof: Proof
    access_key: str | None
    """The AK that signed, where one did."""
    source: str
    """From which address; the machine's name for a command."""
    method: str
    """GET, POST, DELETE …; COMMAND for a command."""
    path: str
    """Of the request, without its query; for a command its words."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What the request names beside its path, shortened: `hostIds` to "1001, 1002 and 8 more"."""
    task_id: int | None = None
    """The task that was made or acted on."""
    status: int = 200
    """The HTTP status of the reply; for a command 200."""
    code: int = 0
    """OCP's error code; 0 where there is none."""
    message: str = ""
    """Of an error: its sentence."""
    trace_id: str = ""
    """Finds the request in the log."""
    number: int = 0
    """Given by the store, from 1, rising."""
