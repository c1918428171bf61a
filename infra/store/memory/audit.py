"""The audit in memory."""

from collections import deque
from dataclasses import replace
from itertools import islice

from typing_extensions import override

from core.audit import AuditEntry
from infra.store.base import Audit, AuditPage


class MemoryAudit(Audit):
    """Who did what, as far as this process was told."""

    def __init__(self, keep: int) -> None:
        self._last = 0
        self._entries: deque[AuditEntry] = deque(maxlen=keep)

    @override
    async def append(self, entry: AuditEntry) -> int:
        self._last += 1
        self._entries.appendleft(replace(entry, number=self._last))
        return self._last

    @override
    async def page(self, offset: int, limit: int) -> AuditPage:
        return AuditPage(tuple(islice(self._entries, offset, offset + limit)), len(self._entries))
