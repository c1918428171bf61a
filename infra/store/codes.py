"""The letters that stand for statuses and operations in records and scripts."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from core.status import Operation, Status

STATUS_LETTERS: Final = MappingProxyType(
    {
        Status.PENDING: "P",
        Status.READY: "Y",
        Status.RUNNING: "R",
        Status.CANCELING: "C",
        Status.FAILED: "F",
        Status.SUCCESSFUL: "S",
    }
)
OPERATION_LETTERS: Final = MappingProxyType(
    {
        Operation.EXECUTE: "E",
        Operation.RETRY: "T",
        Operation.ROLLBACK: "B",
        Operation.SKIP: "K",
        Operation.ROLLBACK_SKIP: "Q",
        Operation.CANCEL: "C",
    }
)
SEEN_LETTERS: Final = MappingProxyType(
    {
        (True, False): "a",
        (False, False): "g",
        (None, False): "-",
        (True, True): "A",
        (False, True): "G",
        (None, True): "+",
    }
)
"""What the last look said of the agent, and whether a run of the subtask changed it or may have."""
SEEN_OF: Final = MappingProxyType({letter: seen for seen, letter in SEEN_LETTERS.items()})
STATUS_OF: Final = MappingProxyType({letter: status for status, letter in STATUS_LETTERS.items()})
OPERATION_OF: Final = MappingProxyType({letter: operation for operation, letter in OPERATION_LETTERS.items()})


LOG_SUFFIXES: Final = MappingProxyType(
    {
        operation: f":{OPERATION_LETTERS[operation]}"
        for operation in (Operation.SKIP, Operation.ROLLBACK, Operation.ROLLBACK_SKIP)
    }
)
"""How the field of a log ends. The logs of a skip, an undoing and a skipped undoing stand beside the log of the run."""
LOST_SUFFIXES: Final = MappingProxyType({False: ":L", True: ":M"})
"""How the field of the log ends when a run was lost for good: by whether the run undid something."""


def render_codes(statuses: Iterable[Status]) -> str:
    """Return the letters of several statuses, in a fixed order."""
    return "".join(sorted(STATUS_LETTERS[status] for status in statuses))
