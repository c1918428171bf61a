"""The task types, one file each. A file here that defines `TASK_TYPE` is a task type, and nothing else lists it."""

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from core.step import TaskType


def _import_all() -> dict[str, TaskType]:
    modules = (import_module(module.name) for module in iter_modules(__path__, prefix=f"{__name__}."))
    types: list[TaskType] = [module.TASK_TYPE for module in modules if hasattr(module, "TASK_TYPE")]
    return {task_type.slug: task_type for task_type in types}


TASK_TYPES: Final = MappingProxyType(_import_all())
"""Every task type by its slug."""
