"""The users in memory."""

from dataclasses import replace

from typing_extensions import override

from core.user import Role, User
from infra.store.base import FIRST_USER_ID, Users


class MemoryUsers(Users):
    """The users of one fleet in this process."""

    def __init__(self) -> None:
        self._last = FIRST_USER_ID - 1
        self._users: dict[str, User] = {}

    @override
    async def put(self, user: User) -> bool:
        self._last += 1
        numbered = replace(user, id=self._last)
        return self._users.setdefault(user.name, numbered) is numbered

    @override
    async def get(self, name: str) -> User | None:
        return self._users.get(name)

    @override
    async def count(self) -> int:
        return len(self._users)

    @override
    async def all(self) -> tuple[User, ...]:
        return tuple(self._users[name] for name in sorted(self._users))

    @override
    async def change(self, old: User, new: User | None) -> bool:
        if self._users.get(old.name) != old:
            return False
        others = (user for name, user in self._users.items() if name != old.name)
        if old.ceases_to_administer(new) and not any(Role.ADMIN in user.roles for user in others):
            return False
        if new is None:
            del self._users[old.name]
        else:
            self._users[old.name] = new
        return True
