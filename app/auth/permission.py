"""What a route asks of its caller."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from fastapi import Request, Security

from app.auth.authenticator import Credentials
from app.auth.basic import BasicCredentials
from app.auth.signature import SignedCredentials, parts_of
from app.auth.signature_checker import Signature
from app.context import Fleet, fleet_of
from app.http.body import read_body
from app.http.request_state import exchange_of
from core.audit import Proof
from core.errors import BadCredentials, NotAuthenticated, NotPermitted, TooManyRequests
from core.text import Text, say
from core.user import Permission, User, roles_granting

_basic = BasicCredentials()
_signed = SignedCredentials()
_LARGEST_BODY: Final = 1 << 20
_BYTES_PER_HOST: Final = 64


@dataclass(frozen=True, slots=True)
class Required:
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
            NotAuthenticated: nobody, somebody unknown, or somebody who is locked out.
            TooManyRequests: the user made too many.
            NotPermitted: the user's roles do not grant the permission.
        """
        user = await _authenticated(request, credentials, signature)
        await _count(request, user)
        if not user.may(self.permission):
            raise NotPermitted(_needed(user, self.permission))
        return user


def require(permission: Permission) -> Required:
    """Return the dependency of a route that needs a permission."""
    return Required(permission)


async def _authenticated(request: Request, credentials: Credentials | None, signature: Signature | None) -> User:
    fleet, exchange = fleet_of(request), exchange_of(request)
    try:
        if signature is not None:
            user = await _signer(request, fleet, signature)
            exchange.proof, exchange.access_key = Proof.ACCESS_KEY, signature.key_id
        elif credentials is not None:
            user = await _holder(fleet, credentials, exchange.source)
            exchange.proof = Proof.PASSWORD
        else:
            raise _nobody()
    except NotAuthenticated:
        exchange.claimed = await _claimed(fleet, credentials, signature)
        raise
    exchange.user = user.name
    return user


def _nobody() -> NotAuthenticated:
    return NotAuthenticated(
        say(
            "Who are you? Send a user name and password with HTTP Basic authentication, or sign the request with an "
            "access key."
        )
    )


async def _holder(fleet: Fleet, credentials: Credentials, source: str) -> User:
    user = await fleet.authenticator.user(credentials, source)
    if user is None:
        raise BadCredentials(say("The user name or the password is wrong."))
    return user


async def _signer(request: Request, fleet: Fleet, signature: Signature) -> User:
    limit = max(_LARGEST_BODY, _BYTES_PER_HOST * fleet.max_hosts)
    sentence = say(
        "The body is longer than the {limit} bytes that a signed request may have. Send less at a time.", limit=limit
    )
    return await fleet.access.user(signature, parts_of(request), partial(read_body, request, limit, sentence))


async def _claimed(fleet: Fleet, credentials: Credentials | None, signature: Signature | None) -> str | None:
    """Return whom a refused request named, where there is such a user: people do type passwords into wrong fields."""
    if signature is not None:
        key = await fleet.store.access_keys.get(signature.key_id)
        return key.user if key else None
    user = await fleet.store.users.get(credentials.name) if credentials else None
    return user.name if user else None


async def _count(request: Request, user: User) -> None:
    rates = fleet_of(request).rates
    if rates is None:
        return
    allowance = await rates.count(user)
    exchange_of(request).headers += allowance.headers
    if allowance.exceeded:
        raise TooManyRequests(
            say(
                "User {user} made more than {limit} requests in {window}. "
                "This one was not done; try again in {seconds} s.",
                user=user.name,
                limit=allowance.limit,
                window=allowance.window,
                seconds=allowance.reset,
            ),
            allowance.reset,
        )


def _needed(user: User, permission: Permission) -> Text:
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


HostReader = Annotated[User, Security(require(Permission.HOST_READ))]
HostChanger = Annotated[User, Security(require(Permission.HOST_CHANGE))]
TaskReader = Annotated[User, Security(require(Permission.TASK_READ))]
TaskChanger = Annotated[User, Security(require(Permission.TASK_CHANGE))]
HoldChanger = Annotated[User, Security(require(Permission.HOLD_CHANGE))]
BrakeChanger = Annotated[User, Security(require(Permission.BRAKE_CHANGE))]
ProtectionChanger = Annotated[User, Security(require(Permission.PROTECTION_CHANGE))]
AuditReader = Annotated[User, Security(require(Permission.AUDIT_READ))]
UserReader = Annotated[User, Security(require(Permission.USER_READ))]
UserChanger = Annotated[User, Security(require(Permission.USER_CHANGE))]
