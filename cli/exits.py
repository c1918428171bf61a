"""How a command ends: the exit codes, and the errors of the commands that speak to the API."""

from enum import IntEnum

from core.errors import FleetError, InvalidRequest, Misconfigured


class Exit(IntEnum):
    """What the exit code of a command means."""

    DONE = 0
    """It was done; a task that was followed ended as SUCCESSFUL."""
    FAILED = 1
    """It was refused or failed; a task that was followed ended as FAILED."""
    MISUSED = 2
    """It was asked for wrongly: an option, a setting, a host that does not exist. Nothing was sent."""
    UNREACHABLE = 3
    """The API does not answer, or cannot serve at the moment. Trying again may help."""
    DENIED = 4
    """Nobody, somebody unknown, or a user who may not."""
    LEFT = 5
    """Ctrl-C while a task was followed: the task was left running."""


class ApiRefused(FleetError):
    """The API did not do what was asked for."""


class ApiUnreachable(FleetError):
    """The API does not answer, or cannot serve at the moment."""


class ApiDenied(FleetError):
    """The API does not know who asks, or does not let them."""


def exit_of(error: FleetError) -> Exit:
    """Return the exit code that an error ends a command with."""
    match error:
        case InvalidRequest() | Misconfigured():
            return Exit.MISUSED
        case ApiUnreachable():
            return Exit.UNREACHABLE
        case ApiDenied():
            return Exit.DENIED
        case _:
            return Exit.FAILED
