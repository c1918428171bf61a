"""Audit entries as the store keeps them: JSON without what is empty."""

from dataclasses import fields
from typing import Any, Final

import orjson

from core.audit import AuditEntry, Proof

_NAMES: Final = tuple(one.name for one in fields(AuditEntry) if one.name != "number")
_EMPTY: Final[tuple[object, ...]] = (None, "", {})


def encode(entry: AuditEntry) -> str:
    """Return an entry as JSON; its number is not part of it."""
    document = {name: getattr(entry, name) for name in _NAMES}
    return orjson.dumps({name: value for name, value in document.items() if value not in _EMPTY}).decode()


def decode(number: int, raw: str) -> AuditEntry:
    """Return an entry. Fields that a newer version added are left out."""
    found: dict[str, Any] = {name: value for name, value in orjson.loads(raw).items() if name in _NAMES}
    absent = {"user": None, "access_key": None}
    return AuditEntry(**(absent | found | {"proof": Proof(found["proof"]), "number": number}))
