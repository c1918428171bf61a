"""Users, roles and what a role may do, as in OCP."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """OCP's roles that matter here."""

    ADMIN = "ADMIN"
    """Everything."""
    HOST_MANAGER = "HOST_MANAGER"
    """Hosts and their agents; no right on tasks."""
    HOST_VIEWER = "HOST_VIEWER"
    """To look at hosts."""
    TASK_MANAGER = "TASK_MANAGER"
    """To look at tasks and to change their course."""
    TASK_VIEWER = "TASK_VIEWER"
    """To look at tasks."""


class Permission(StrEnum):
    """What a route asks for: a kind of thing, and whether it is read or changed."""

    HOST_READ = "HOST:*:READ"
    HOST_CHANGE = "HOST:*:CHANGE"
    TASK_READ = "TASK:*:READ"
    TASK_CHANGE = "TASK:*:CHANGE"


_GRANTS = {
    Role.ADMIN: frozenset(Permission),
    Role.HOST_MANAGER: frozenset({Permission.HOST_READ, Permission.HOST_CHANGE}),
    Role.HOST_VIEWER: frozenset({Permission.HOST_READ}),
    Role.TASK_MANAGER: frozenset({Permission.TASK_READ, Permission.TASK_CHANGE}),
    Role.TASK_VIEWER: frozenset({Permission.TASK_READ}),
}


@dataclass(frozen=True, slots=True)
class User:
    """A user of the API."""

    id: int
    """Its number; 0 until the store gave it one."""
    name: str
    password_hash: str
    """The password's argon2id hash; never the password."""
    roles: frozenset[Role]

    def may(self, permission: Permission) -> bool:
        """Return whether one of the user's roles grants a permission."""
        return any(permission in _GRANTS[role] for role in self.roles)


def roles_granting(permission: Permission) -> Iterable[Role]:
    """Return the roles that grant a permission, in the order of `Role`."""
    return (role for role in Role if permission in _GRANTS[role])
