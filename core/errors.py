"""The errors that people meet: something is wrong with a request, or with what ocpfleet needs.

Each has a sentence and fields, and all have one base class. `app.http.errors` makes an HTTP reply of each; the command
line prints the sentence. A sentence that can end in a reply is made with `core.text.say`, so that it can be translated.
"""

from typing import ClassVar, Final

from core.text import say

_MAX_LISTED: Final = 20
"""The most hosts that a sentence names."""


def _list_hosts(host_ids: tuple[int, ...]) -> str:
    named = ", ".join(map(str, host_ids[:_MAX_LISTED]))
    if len(host_ids) > _MAX_LISTED:
        return say("{named} and {count} more", named=named, count=len(host_ids) - _MAX_LISTED)
    return named


class FleetError(Exception):
    """Base of every error that a person can meet. `str()` is the sentence: what is wrong, and what to do about it."""

    code: ClassVar[int] = 0
    """OCP's error code; 0 where OCP has none."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InvalidRequest(FleetError):
    """The request can never be done as it is.

    Args:
        field: the name of the field at fault, as the client wrote it.
        value: what it held.
        sentence: what is wrong with it, and what would be right.
    """

    def __init__(self, field: str, value: object, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.value = value


class NotFound(FleetError):
    """The request names something that does not exist."""

    code = 10002


class TaskNotFound(NotFound):
    """The task or the subtask does not exist."""

    code = 20000


class KeyReused(FleetError):
    """The client used this idempotency key for another request."""


class AgentStateInvalid(FleetError):
    """The state of a host or its agent, or who works there, forbids the request. Nothing was done."""

    code = 40000


class HostsProtected(AgentStateInvalid):
    """The request names hosts that are protected.

    Args:
        host_ids: which.
        field: where the request names them.
    """

    def __init__(self, host_ids: tuple[int, ...], field: str = "hostIds") -> None:
        super().__init__(
            say(
                "{field}: protected hosts: {named}. Nothing was done. Leave them out, or "
                "ask an administrator to lift the protection: DELETE /api/v2/compute/hosts/ID/protection.",
                field=field,
                named=_list_hosts(host_ids),
            )
        )
        self.host_ids = host_ids


class HostFailed(FleetError):
    """A host could not be reached, or did not do what it should."""

    code = 10010


class Conflict(FleetError):
    """The request conflicts with the current state."""


class StateInvalid(FleetError):
    """The status of the task or subtask does not allow the request."""

    code = 20003


class RollbackProhibited(FleetError):
    """Tasks of this type may not be rolled back."""

    code = 20004


class UnknownHosts(NotFound):
    """The request names hosts that are not in the inventory.

    Args:
        host_ids: which.
        field: where the request names them.
    """

    def __init__(self, host_ids: tuple[int, ...], field: str = "hostIds") -> None:
        super().__init__(
            say(
                "{field}: not in the inventory: {named}. List the hosts with GET /api/v2/compute/hosts, "
                "or import the missing ones with `ocpfleet hosts import FILE`.",
                field=field,
                named=_list_hosts(host_ids),
            )
        )
        self.host_ids = host_ids


class NotAuthenticated(FleetError):
    """The request has no credentials, or wrong ones."""


class BadCredentials(NotAuthenticated):
    """The user does not exist, or the password is wrong."""

    code = 30004


class LoginBlocked(NotAuthenticated):
    """Too many wrong passwords came, so passwords are not checked for a while.

    Args:
        sentence: who is locked out, and for how long.
        retry_after: seconds until passwords are checked again.
    """

    code = 30007

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class TooManyRequests(FleetError):
    """The user made more requests than a limit allows; this one was not done.

    Args:
        sentence: which limit.
        retry_after: seconds until the limit's window ends.
    """

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NotPermitted(FleetError):
    """The user may not do this."""

    code = 30014


class Unavailable(FleetError):
    """Something that ocpfleet needs does not answer. The same request may succeed later.

    Args:
        sentence: what does not answer, and what was not done because of it.
        retry_after: seconds after which trying again makes sense.
    """

    def __init__(self, sentence: str, retry_after: int = 5) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class StoreUnavailable(Unavailable):
    """The store does not answer, or did not accept a write."""


class BrokerUnavailable(Unavailable):
    """The broker does not answer, or did not accept a message."""


class Misconfigured(FleetError):
    """A setting, or something it points to, makes the start impossible."""
