"""What a route asks of its caller."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security

from app.auth.basic import BasicCredentials
from app.auth.check import Credentials
from app.exchange import exchange_of
from app.fleet import fleet_of
from core.errors import NotAuthenticated, NotPermitted
from core.user import Permission, User, roles_granting

_basic = BasicCredentials()


def require(permission: Permission) -> Callable[..., Awaitable[User]]:
    """Return the dependency that lets only users with a permission pass, and gives the user to the route."""

    async def permitted(request: Request, credentials: Annotated[Credentials | None, Security(_basic)]) -> User:
        user = await _authenticated(request, credentials)
        if not user.may(permission):
            raise NotPermitted(_needed(user, permission))
        return user

    return permitted


async def _authenticated(request: Request, credentials: Credentials | None) -> User:
    if credentials is None:
        raise NotAuthenticated("Who are you? Send a user name and password with HTTP Basic authentication.")
    user = await fleet_of(request).authenticator.user(credentials)
    if user is None:
        raise NotAuthenticated("The user name or the password is wrong.")
    exchange_of(request).user = user.name
    return user


def _needed(user: User, permission: Permission) -> str:
    *others, last = map(str, roles_granting(permission))
    roles = f"{', '.join(others)} or {last}" if others else last
    return f"User {user.name} has no permission {permission}. Ask for one of the roles {roles}."


HostReader = Annotated[User, Security(require(Permission.HOST_READ))]
HostChanger = Annotated[User, Security(require(Permission.HOST_CHANGE))]
TaskChanger = Annotated[User, Security(require(Permission.TASK_CHANGE))]
TaskReader = Annotated[User, Security(require(Permission.TASK_READ))]
