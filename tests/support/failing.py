"""A store of which some calls fail."""

from typing import Any

from typing_extensions import override

from core.errors import StoreUnavailable
from tests.support.fake_store import FakeStore


class FailingPart:
    """A part of a store of which some calls fail."""

    def __init__(self, part: Any, *calls: str, fault: Exception | None = None) -> None:
        self._part = part
        self._calls = calls
        self._fault = fault or StoreUnavailable("The store does not answer.")
        self.failures = 0
        """How many calls have failed."""

    def __getattr__(self, name: str) -> Any:
        if name in self._calls:
            return self._fall
        return getattr(self._part, name)

    async def _fall(self, *_: object, **_more: object) -> None:
        self.failures += 1
        raise self._fault


class FailingStore(FakeStore):
    """A store of which some parts can be made to fail."""

    broken_tasks: Any = None
    broken_hosts: Any = None

    @property
    @override
    def tasks(self) -> Any:
        return self.broken_tasks or super().tasks

    @property
    @override
    def hosts(self) -> Any:
        return self.broken_hosts or super().hosts
