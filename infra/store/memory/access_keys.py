"""The access keys in memory."""

from typing_extensions import override

from core.access_key import AccessKey
from infra.store.base import AccessKeys


class MemoryAccessKeys(AccessKeys):
    """The access keys of one fleet in this process."""

    def __init__(self) -> None:
        self._keys: dict[str, AccessKey] = {}

    @override
    async def put(self, key: AccessKey) -> bool:
        return self._keys.setdefault(key.id, key) is key

    @override
    async def get(self, key_id: str) -> AccessKey | None:
        return self._keys.get(key_id)

    @override
    async def all(self) -> tuple[AccessKey, ...]:
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created, key.id)))

    @override
    async def remove(self, key_id: str) -> bool:
        return self._keys.pop(key_id, None) is not None
