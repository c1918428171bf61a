"""Users, their roles, and what each role may do, as in OCP."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of OCP that matter here. Each line says what the role may do."""

    ADMIN = "ADMIN"
    """Everything."""
    HOST_MANAGER = "HOST_MANAGER"
    """Change hosts and their agents. Nothing with tasks."""
    HOST_VIEWER = "HOST_VIEWER"
    """Read hosts."""
    TASK_MANAGER = "TASK_MANAGER"
    """Read and steer tasks."""
    TASK_VIEWER = "TASK_VIEWER"
    """Read tasks."""
    CLUSTER_MANAGER = "CLUSTER_MANAGER"
    """Change clusters, and with them hosts and tasks."""
    CLUSTER_VIEWER = "CLUSTER_VIEWER"
    """Read clusters, hosts and tasks."""
    BACKUP_MANAGER = "BACKUP_MANAGER"
    """Change backups, and with them tasks. Read hosts."""
    TENANT_MANAGER = "TENANT_MANAGER"
    """Change tenants. Read hosts and tasks."""
    TENANT_VIEWER = "TENANT_VIEWER"
    """Read tenants, hosts and tasks."""


class Permission(StrEnum):
    """What a route requires: a kind of thing, and whether the route reads or changes it."""

    HOST_READ = "HOST:*:READ"
    HOST_CHANGE = "HOST:*:CHANGE"
    TASK_READ = "TASK:*:READ"
    TASK_CHANGE = "TASK:*:CHANGE"
    AUDIT_READ = "AUDIT:*:READ"
    USER_READ = "USER:*:READ"
    USER_CHANGE = "USER:*:CHANGE"
    HOLD_CHANGE = "HOLD:*:CHANGE"
    BRAKE_CHANGE = "BRAKE:*:CHANGE"
    PROTECTION_CHANGE = "PROTECTION:*:CHANGE"


_ATOMS = {
    Role.ADMIN: ("**",),
    Role.HOST_MANAGER: ("HOST:*:*", "PACKAGE:*:*"),
    Role.HOST_VIEWER: ("HOST:*:READ", "PACKAGE:*:READ"),
    Role.TASK_MANAGER: ("TASK:*:*",),
    Role.TASK_VIEWER: ("TASK:*:READ",),
    Role.CLUSTER_MANAGER: ("HOST:*:*", "TASK:*:*", "PACKAGE:*:*", "BRAKE:*:*"),
    Role.CLUSTER_VIEWER: ("HOST:*:READ", "TASK:*:READ"),
    Role.BACKUP_MANAGER: ("HOST:*:READ", "TASK:*:*"),
    Role.TENANT_MANAGER: ("HOST:*:READ", "TASK:*:READ"),
    Role.TENANT_VIEWER: ("HOST:*:READ", "TASK:*:READ"),
}
"""The permissions that OCP gives each role, as far as hosts and tasks matter: kind, name, action; `*` matches any.
The brake is ours."""


def _grants(atom: str, permission: Permission) -> bool:
    if atom == "**":
        return True
    pairs = zip(atom.split(":"), permission.split(":"), strict=True)
    return all(granted in {"*", asked} for granted, asked in pairs)


_GRANTS = {
    role: frozenset(permission for permission in Permission if any(_grants(atom, permission) for atom in atoms))
    for role, atoms in _ATOMS.items()
}


@dataclass(frozen=True, slots=True)
class User:
    """A user of the API."""

    id: int
    """Its number; 0 until the store gives it one."""
    name: str
    password_hash: str
    """The password's argon2id hash; never the password."""
    roles: frozenset[Role]

    def may(self, permission: Permission) -> bool:
        """Return whether one of the user's roles grants a permission."""
        return any(permission in _GRANTS[role] for role in self.roles)

    def loses_admin_role(self, new: "User | None") -> bool:
        """Return whether it has the role ADMIN, and would not have it as `new` (None: once it is removed)."""
        return Role.ADMIN in self.roles and (new is None or Role.ADMIN not in new.roles)


def roles_granting(permission: Permission) -> Iterable[Role]:
    """Return the roles that grant a permission, in the order of `Role`."""
    return (role for role in Role if permission in _GRANTS[role])
