"""What OCP's roles may do with hosts, tasks and the audit."""

import pytest

from core.user import Permission, Role, User, roles_granting

HOST_READ, HOST_CHANGE = Permission.HOST_READ, Permission.HOST_CHANGE
TASK_READ, TASK_CHANGE = Permission.TASK_READ, Permission.TASK_CHANGE
LOOKING = {HOST_READ, TASK_READ}

GRANTS = {
    Role.ADMIN: set(Permission),
    Role.HOST_MANAGER: {HOST_READ, HOST_CHANGE},
    Role.HOST_VIEWER: {HOST_READ},
    Role.TASK_MANAGER: {TASK_READ, TASK_CHANGE},
    Role.TASK_VIEWER: {TASK_READ},
    Role.CLUSTER_MANAGER: {HOST_READ, HOST_CHANGE, TASK_READ, TASK_CHANGE, Permission.BRAKE_CHANGE},
    Role.CLUSTER_VIEWER: LOOKING,
    Role.BACKUP_MANAGER: {HOST_READ, TASK_READ, TASK_CHANGE},
    Role.TENANT_MANAGER: LOOKING,
    Role.TENANT_VIEWER: LOOKING,
}


@pytest.mark.parametrize("role", Role)
def test_what_a_role_grants(role: Role) -> None:
    user = User(100, "somebody", "", frozenset({role}))
    assert {permission for permission in Permission if user.may(permission)} == GRANTS[role]


def test_roles_add_up_and_none_grants_nothing() -> None:
    both = User(100, "somebody", "", frozenset({Role.HOST_MANAGER, Role.TASK_VIEWER}))
    assert {permission for permission in Permission if both.may(permission)} == {HOST_READ, HOST_CHANGE, TASK_READ}
    assert not any(User(100, "nobody", "", frozenset()).may(permission) for permission in Permission)


def test_only_admins_read_the_audit() -> None:
    assert list(roles_granting(Permission.AUDIT_READ)) == [Role.ADMIN]
