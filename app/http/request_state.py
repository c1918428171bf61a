"""What is known of a request besides its content: its trace id, its start, its user, and what the audit keeps of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.types import Scope

from core.audit import Proof

_KEY: Final = "ocpfleet.request_state"
_MAX_NOTED_ITEMS: Final = 5
"""How many items of a list `note` keeps."""
_MAX_NOTED_LENGTH: Final = 300
"""How many characters of a value `note` keeps."""


@dataclass(slots=True)
class RequestState:
    """What is known of a request besides its content."""

    trace_id: str
    """The client's `x-trace-id` where it is valid, else 16 random hexadecimal digits."""
    began: float
    """When the request came in, in seconds of `time.perf_counter`."""
    user: str | None = None
    """The user who made it, once that is proved."""
    source: str = ""
    """The address that it came from."""
    claimed: str | None = None
    """The user whom it named without proof; None where no such user exists."""
    proof: Proof = Proof.NONE
    """How the user was proved."""
    access_key: str | None = None
    """The access key that signed it."""
    task_id: int | None = None
    """The task that it made or acts on."""
    fields: dict[str, str] = field(default_factory=dict)
    """What it names besides its path, shortened."""
    body: bytes | None = None
    """Its body, once that was read."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that are added to the reply, whatever it is."""
    error: tuple[int, str] = (0, "")
    """Code and message of the reply's error."""
    status: int = 0
    """The reply's status; 0 until the reply is on its way."""
    kept_status: int | None = None
    """The status under which the store's audit has the request already; None where it does not have it."""

    @property
    def millis(self) -> int:
        """Milliseconds since the request came in."""
        return round((time.perf_counter() - self.began) * 1000)


def set_state(scope: Scope, state: RequestState) -> None:
    """Keep the state of a request with its scope."""
    scope[_KEY] = state


def state_of(request: Request) -> RequestState:
    """Return the state of a request."""
    state: RequestState = request.scope[_KEY]
    return state


def note(request: Request, fields: Mapping[str, object] | None = None, *, task_id: int | None = None) -> None:
    """Note what a request is about, for the audit.

    Args:
        request: the request.
        fields: what it names besides its path. Long values and long lists are shortened.
        task_id: the task that it made or acts on.
    """
    state = state_of(request)
    state.task_id = task_id or state.task_id
    state.fields |= {name: _shorten(value) for name, value in (fields or {}).items()}


def _shorten(value: object) -> str:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return str(value)[:_MAX_NOTED_LENGTH]
    items = ", ".join(map(str, value[:_MAX_NOTED_ITEMS]))
    return f"{items} and {len(value) - _MAX_NOTED_ITEMS} more" if len(value) > _MAX_NOTED_ITEMS else items
