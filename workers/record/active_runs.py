"""The runs that this process is working on, so that they can be broken off. Lives on the event loop."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from core.claim import Claim, ClaimKey


class ActiveRuns:
    """The asyncio task of each run, by its claim."""

    def __init__(self) -> None:
        self._runs: dict[ClaimKey, asyncio.Task[object]] = {}
        self._cancelled: set[ClaimKey] = set()
        self._handed_over: set[ClaimKey] = set()

    @contextmanager
    def track(self, claim: Claim) -> Iterator[None]:
        """Count the current asyncio task as a claim's run, which may be broken off from then on."""
        run = asyncio.current_task()
        if run is None:
            raise RuntimeError("a run is an asyncio task")
        self._runs[claim.key] = run
        try:
            yield
        finally:
            if self._runs.get(claim.key) is run:
                del self._runs[claim.key]

    @property
    def claims(self) -> tuple[ClaimKey, ...]:
        """The claims whose runs go on."""
        return tuple(self._runs)

    def cancel(self, claims: Iterable[ClaimKey]) -> None:
        """Break off the runs of these claims, each once, where this process works on them."""
        for claim in claims:
            run = self._runs.get(claim)
            if run is not None and claim not in self._cancelled:
                self._cancelled.add(claim)
                run.cancel()

    def cancel_all(self) -> None:
        """Break off every run: the record no longer knows this process, and others have its claims by now."""
        self.cancel(tuple(self._runs))

    def hand_over_all(self) -> None:
        """Break off every run and have its host handed over: the process must end."""
        for claim, run in self._runs.items():
            self._handed_over.add(claim)
            run.cancel()

    def pop_cancelled(self, claim: Claim) -> bool:
        """Return whether a run was broken off by `cancel`, and forget it."""
        if claim.key not in self._cancelled:
            return False
        self._cancelled.discard(claim.key)
        return True

    def pop_handed_over(self, claim: Claim) -> bool:
        """Return whether a run was broken off by `hand_over_all`, and forget it."""
        if claim.key not in self._handed_over:
            return False
        self._handed_over.discard(claim.key)
        return True
