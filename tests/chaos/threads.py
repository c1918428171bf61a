"""Threads that run until they are stopped."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Threads:
    """Several threads that are stopped together."""

    _over: threading.Event = field(default_factory=threading.Event)
    _running: list[threading.Thread] = field(default_factory=list)

    def start(self, work: Callable[..., None], *words: object) -> None:
        """Start a function that calls `is_over` now and then."""
        thread = threading.Thread(target=work, args=words, daemon=True)
        self._running.append(thread)
        thread.start()

    def is_over(self, after: float) -> bool:
        """Wait up to `after` seconds; return whether the threads were stopped in that time."""
        return self._over.wait(after)

    def stop(self) -> None:
        """Tell all threads to stop, and wait until they have ended."""
        self._over.set()
        for thread in self._running:
            thread.join()
