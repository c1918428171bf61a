"""Which outcome each error means that asyncssh or the network raises while a connection is being made."""

import os

import asyncssh

from core.outcome.agentctl import UnexpectedAnswer
from core.outcome.base import Outcome, TimedOut
from core.outcome.reach import AuthenticationFailed, HostKeyMismatch, Unreachable
from workers.executor.ssh.attempt import ConnectionAttempt
from workers.executor.ssh.host_keys import fingerprint_data

_TOO_MANY = "too many authentication failures"
"""What OpenSSH says, as a protocol error, when a client has offered more keys than it accepts."""


def to_outcome(error: Exception, attempt: ConnectionAttempt) -> Outcome:
    """Return the outcome that an error of a connection attempt means.

    Args:
        error: an `asyncssh.Error`, `OSError` or `ValueError`. asyncssh raises the last for packets that it cannot read.
        attempt: the attempt.
    """
    endpoint, activity = attempt.target.endpoint, _shorten_activity(attempt)
    outcome: Outcome
    match error:
        case TimeoutError() if attempt.timeout.expired():
            outcome = TimedOut(attempt.activity, attempt.seconds)
        case asyncssh.HostKeyNotVerifiable() if attempt.pinned and attempt.shown:
            outcome = HostKeyMismatch(
                endpoint, fingerprint_data(attempt.pinned.data), fingerprint_data(attempt.shown.public_data)
            )
        case asyncssh.PermissionDenied() | asyncssh.IllegalUserName():
            outcome = AuthenticationFailed(endpoint, attempt.target.user)
        case asyncssh.DisconnectError() if _TOO_MANY in error.reason.lower():
            outcome = AuthenticationFailed(endpoint, attempt.target.user)
        case asyncssh.Error():
            outcome = Unreachable(endpoint, f"{error.reason} while {activity}")
        case OSError():
            outcome = Unreachable(endpoint, f"{_describe_error(error)} while {activity}")
        case _:
            outcome = UnexpectedAnswer(f"{endpoint} does not speak SSH as expected ({error}) while {activity}")
    return outcome


def _shorten_activity(attempt: ConnectionAttempt) -> str:
    return (
        attempt.activity.split(f" {attempt.target.endpoint}", maxsplit=1)[0].removesuffix(" to").removesuffix(" with")
    )


def _describe_error(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error) or type(error).__name__
