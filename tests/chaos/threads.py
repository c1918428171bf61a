"""Threads that go on until they are told to stop."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Threads:
    """Several threads of one purpose, which end together."""

    _over: threading.Event = field(default_factory=threading.Event)
    _running: list[threading.Thread] = field(default_factory=list)

    def start(self, work: Callable[..., None], *words: object) -> None:
        """Begin something that looks at `over` now and then."""
        thread = threading.Thread(target=work, args=words, daemon=True)
        self._running.append(thread)
        thread.start()

    def over(self, after: float) -> bool:
        """Wait for so many seconds; return whether it was told to stop before they were over."""
        return self._over.wait(after)

    def stop(self) -> None:
        """Tell all of them to stop, and wait for it."""
        self._over.set()
        for thread in self._running:
            thread.join()
