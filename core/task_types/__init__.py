"""The task types, one file each: a file here that defines `TASK_TYPE` is a task type, and nothing else lists it."""

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from core.step import TaskType


def _all() -> dict[str, TaskType]:
    types: dict[str, TaskType] = {}
    for module in iter_modules(__path__, prefix=f"{__name__}."):
        task_type: TaskType = import_module(module.name).TASK_TYPE
        types[task_type.slug] = task_type
    return types


TASK_TYPES: Final = MappingProxyType(_all())
"""Every task type by its slug."""
