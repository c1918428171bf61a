"""What asyncssh and the network raise while a connection is being made, as the one outcome that each of it means."""

import os

import asyncssh

from core.outcome.agentctl import UnexpectedAnswer
from core.outcome.base import Outcome, TimedOut
from core.outcome.reach import AuthenticationFailed, HostKeyMismatch, Unreachable
from workers.executor.ssh.attempt import Visit
from workers.executor.ssh.host_keys import fingerprint_of

_TOO_MANY = "too many authentication failures"
"""What OpenSSH says, as a protocol error, when a client has offered more keys than it wants to see."""


def verdict(error: Exception, visit: Visit) -> Outcome:
    """Return what an error of a connection that is being made means.

    Args:
        error: an `asyncssh.Error`, `OSError` or `ValueError`. asyncssh raises the last for packets that it cannot read.
        visit: the attempt.
    """
    endpoint = visit.target.endpoint
    outcome: Outcome
    match error:
        case TimeoutError() if visit.limit.expired():
            outcome = TimedOut(visit.doing, visit.seconds)
        case asyncssh.HostKeyNotVerifiable() if visit.pinned and visit.shown:
            outcome = HostKeyMismatch(
                endpoint, fingerprint_of(visit.pinned.data), fingerprint_of(visit.shown.public_data)
            )
        case asyncssh.PermissionDenied() | asyncssh.IllegalUserName():
            outcome = AuthenticationFailed(endpoint, visit.target.user)
        case asyncssh.DisconnectError() if _TOO_MANY in error.reason.lower():
            outcome = AuthenticationFailed(endpoint, visit.target.user)
        case asyncssh.Error():
            outcome = Unreachable(endpoint, f"{error.reason} while {_short(visit)}")
        case OSError():
            outcome = Unreachable(endpoint, f"{_reason(error)} while {_short(visit)}")
        case _:
            outcome = UnexpectedAnswer(f"{endpoint} does not speak SSH as expected ({error}) while {_short(visit)}")
    return outcome


def _short(visit: Visit) -> str:
    return visit.doing.split(f" {visit.target.endpoint}", maxsplit=1)[0].removesuffix(" to").removesuffix(" with")


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error) or type(error).__name__
