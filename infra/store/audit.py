"""The audit: a capped stream whose entries are numbered without gaps."""

from core.audit import AuditEntry
from core.page import Page
from infra.store import keys
from infra.store.codec.audit import decode, encode
from infra.store.connection import Connection
from infra.store.values import StoreOptions


class Audit:
    """Who did what: the newest `StoreOptions.keep_audit` entries."""

    def __init__(self, connection: Connection, options: StoreOptions) -> None:
        self._redis = connection
        self._keep = options.keep_audit

    async def append(self, entry: AuditEntry) -> int:
        """Keep an entry and return its number."""
        return int(await self._redis.run("audit", keep=self._keep, entry=encode(entry)))

    async def page(self, offset: int, limit: int) -> Page[AuditEntry]:
        """Return entries newest first, without the first `offset`."""
        newest, total = await self._redis.calls([("XREVRANGE", keys.AUDIT, "+", "-", "COUNT", 1), ("XLEN", keys.AUDIT)])
        if not newest or offset >= total:
            return Page((), total)
        first = _number(newest[0][0]) - offset
        found = await self._redis.call("XREVRANGE", keys.AUDIT, f"{first}-0", "-", "COUNT", limit)
        return Page(tuple(decode(_number(key), _field(fields)) for key, fields in found), total)


def _number(key: str) -> int:
    return int(key.partition("-")[0])


def _field(fields: dict[str, str] | list[str]) -> str:
    return fields["e"] if isinstance(fields, dict) else fields[1]
