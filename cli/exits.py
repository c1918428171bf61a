"""Exit codes, and the errors of the commands that use the API."""

from enum import IntEnum

from core.errors import FleetError, InvalidRequest, Misconfigured


class Exit(IntEnum):
    """The exit code of a command."""

    DONE = 0
    """The command did its work; a task that it followed ended as SUCCESSFUL."""
    FAILED = 1
    """The request was refused or failed; a task that the command followed ended as FAILED."""
    MISUSED = 2
    """The command line or a setting is wrong: a bad option, or a host that does not exist. Nothing was sent."""
    UNREACHABLE = 3
    """The API does not answer, or cannot serve at the moment. Trying again may help."""
    DENIED = 4
    """No credentials were given, they are wrong, or the user lacks a permission."""
    LEFT = 5
    """A person pressed Ctrl-C while the command followed a task, and left the task running."""


class ApiRefused(FleetError):
    """The API refused a request."""


class ApiUnreachable(FleetError):
    """The API does not answer, or cannot serve at the moment."""


class ApiDenied(FleetError):
    """The API does not accept the credentials, or the user lacks a permission."""


def to_exit(error: FleetError) -> Exit:
    """Return the exit code for an error that ends a command."""
    match error:
        case InvalidRequest() | Misconfigured():
            return Exit.MISUSED
        case ApiUnreachable():
            return Exit.UNREACHABLE
        case ApiDenied():
            return Exit.DENIED
        case _:
            return Exit.FAILED
