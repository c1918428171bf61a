"""What can be wrong with a request or with the world around it: a name, a sentence, and fields.

One base class. `app.http.errors` makes an HTTP reply of each; the command line prints the sentence. What can end in a
reply is said with `core.text.say`, so that it can be told in the client's language.
"""

from typing import ClassVar, Final

from core.text import say

_SHOWN: Final = 20
"""So many hosts are named in a sentence."""


def _list_hosts(host_ids: tuple[int, ...]) -> str:
    named = ", ".join(map(str, host_ids[:_SHOWN]))
    if len(host_ids) > _SHOWN:
        return say("{named} and {count} more", named=named, count=len(host_ids) - _SHOWN)
    return named


class FleetError(Exception):
    """Base of every error that a person can meet. `str()` is the sentence: what is wrong and the way out."""

    code: ClassVar[int] = 0
    """OCP's error code; 0 where OCP has none."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InvalidRequest(FleetError):
    """A request that can never be done as it is.

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
    """Something that the request names does not exist."""

    code = 10002


class TaskNotFound(NotFound):
    """There is no such task or subtask."""

    code = 20000


class KeyReused(FleetError):
    """A client's key stands for another request of its own."""


class AgentStateInvalid(FleetError):
    """Where a host or its agent stands, or who works there, forbids what is asked for. Nothing was done."""

    code = 40000


class HostsProtected(AgentStateInvalid):
    """Hosts that no request may touch.

    Args:
        host_ids: which.
        field: where the request names them.
    """

    def __init__(self, host_ids: tuple[int, ...], field: str = "hostIds") -> None:
        super().__init__(
            say(
                "{field}: protected, so that no request touches them: {named}. Nothing was done. Leave them out, or "
                "have an administrator lift the protection: DELETE /api/v2/compute/hosts/ID/protection.",
                field=field,
                named=_list_hosts(host_ids),
            )
        )
        self.host_ids = host_ids


class HostFailed(FleetError):
    """A host could not be reached, or did not do what was asked of it."""

    code = 10010


class Conflict(FleetError):
    """What is asked for does not go with what is there."""


class StateInvalid(FleetError):
    """A task or subtask does not stand where what is asked of it is possible."""

    code = 20003


class RollbackProhibited(FleetError):
    """A task of this type may not be rolled back."""

    code = 20004


class UnknownHosts(NotFound):
    """Hosts that are not in the inventory.

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
    """No credentials, or wrong ones."""


class BadCredentials(NotAuthenticated):
    """There is no such user, or the password is another one."""

    code = 30004


class LoginBlocked(NotAuthenticated):
    """So many wrong passwords came that none is looked at for a while.

    Args:
        sentence: who is locked out, and for how long.
        retry_after: seconds after which a password is looked at again.
    """

    code = 30007

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class TooManyRequests(FleetError):
    """The user made more requests than the limit of a window allows; this one was not done.

    Args:
        sentence: which limit.
        retry_after: seconds after which the window is over.
    """

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NotPermitted(FleetError):
    """The user may not do this."""

    code = 30014


class Unavailable(FleetError):
    """Something that ocpfleet needs does not answer; the same request may succeed later.

    Args:
        sentence: what does not answer, and what was not done because of it.
        retry_after: seconds after which trying again makes sense.
    """

    def __init__(self, sentence: str, retry_after: int = 5) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class StoreUnavailable(Unavailable):
    """The store does not answer, or did not take the write."""


class BrokerUnavailable(Unavailable):
    """The broker did not take the message."""


class Misconfigured(FleetError):
    """A setting, or what it points to, makes a start impossible."""
