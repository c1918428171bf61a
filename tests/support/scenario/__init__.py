"""The record as a story tells it: requests are accepted, workers claim and settle, people change their minds.

A test gets a `Record` by its fixture of that name; `Record.accept` returns a `Task`.
"""

from tests.support.scenario.record import ALIVE, Record
from tests.support.scenario.task import Task

__all__ = ["ALIVE", "Record", "Task"]
