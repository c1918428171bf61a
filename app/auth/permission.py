"""The permission that a route needs of its caller."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Request, Security

from app.auth.basic import BasicCredentials, Credentials
from app.auth.identity import authenticate
from app.auth.services import auth_of
from app.auth.signature import Signature, SignedCredentials
from app.http.request_state import state_of
from core.errors import NotPermitted, TooManyRequests
from core.text import Text, say
from core.user import Permission, User, roles_granting

_basic = BasicCredentials()
_signed = SignedCredentials()


@dataclass(frozen=True, slots=True)
class RequiredPermission:
    """The dependency that lets only users with a permission pass, and gives the user to the route."""

    permission: Permission

    async def __call__(
        self,
        request: Request,
        credentials: Annotated[Credentials | None, Security(_basic)],
        signature: Annotated[Signature | None, Security(_signed)],
    ) -> User:
        """Return the user who makes a request.

        Raises:
            NotAuthenticated: the request has no credentials, or wrong ones, or its client is locked out.
            TooManyRequests: the user made too many requests.
            NotPermitted: the user's roles do not grant the permission.
        """
        user = await authenticate(request, credentials, signature)
        await _count(request, user)
        if not user.may(self.permission):
            raise NotPermitted(_explain_refusal(user, self.permission))
        return user


async def _count(request: Request, user: User) -> None:
    rates = auth_of(request).rates
    if rates is None:
        return
    allowance = await rates.count(user)
    state_of(request).headers += allowance.headers
    if allowance.exceeded:
        raise TooManyRequests(
            say(
                "User {user} made more than {limit} requests in {window}. This request was not done. Try again in "
                "{seconds} s.",
                user=user.name,
                limit=allowance.limit,
                window=allowance.window,
                seconds=allowance.reset,
            ),
            allowance.reset,
        )


def _explain_refusal(user: User, permission: Permission) -> Text:
    *others, last = map(str, roles_granting(permission))
    if not others:
        return say(
            "User {user} has no permission {permission}. Ask for the role {role}.",
            user=user.name,
            permission=permission,
            role=last,
        )
    return say(
        "User {user} has no permission {permission}. Ask for one of the roles {others} or {last}.",
        user=user.name,
        permission=permission,
        others=", ".join(others),
        last=last,
    )


HostReader = Annotated[User, Security(RequiredPermission(Permission.HOST_READ))]
HostChanger = Annotated[User, Security(RequiredPermission(Permission.HOST_CHANGE))]
TaskReader = Annotated[User, Security(RequiredPermission(Permission.TASK_READ))]
TaskChanger = Annotated[User, Security(RequiredPermission(Permission.TASK_CHANGE))]
HoldChanger = Annotated[User, Security(RequiredPermission(Permission.HOLD_CHANGE))]
BrakeChanger = Annotated[User, Security(RequiredPermission(Permission.BRAKE_CHANGE))]
ProtectionChanger = Annotated[User, Security(RequiredPermission(Permission.PROTECTION_CHANGE))]
AuditReader = Annotated[User, Security(RequiredPermission(Permission.AUDIT_READ))]
UserReader = Annotated[User, Security(RequiredPermission(Permission.USER_READ))]
UserChanger = Annotated[User, Security(RequiredPermission(Permission.USER_CHANGE))]
