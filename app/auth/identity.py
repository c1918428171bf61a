"""Finds out which user makes a request."""

from functools import partial
from typing import Final

from fastapi import Request

from app.auth.basic import Credentials
from app.auth.services import auth_of
from app.auth.signature import Signature, read_signed_parts
from app.context import context_of
from app.http.body import read_body
from app.http.request_state import state_of
from core.audit import Proof
from core.errors import BadCredentials, NotAuthenticated
from core.text import say
from core.user import User

_MAX_BODY: Final = 1 << 20
"""How many bytes the body of a signed request may have, unless more hosts are allowed."""
_BYTES_PER_HOST: Final = 64


async def authenticate(request: Request, credentials: Credentials | None, signature: Signature | None) -> User:
    """Return the user who makes a request, and note the user in the request's state.

    Raises:
        NotAuthenticated: the request has no credentials, or wrong ones, or its client is locked out.
    """
    state = state_of(request)
    try:
        if signature is not None:
            user = await _check_signature(request, signature)
            state.proof, state.access_key = Proof.ACCESS_KEY, signature.key_id
        elif credentials is not None:
            user = await _check_password(request, credentials)
            state.proof = Proof.PASSWORD
        else:
            raise _ask_for_credentials()
    except NotAuthenticated:
        state.claimed = await _find_claimed_user(request, credentials, signature)
        raise
    state.user = user.name
    return user


def _ask_for_credentials() -> NotAuthenticated:
    return NotAuthenticated(
        say(
            "The request has no credentials. Send a user name and password with HTTP Basic authentication, or sign "
            "the request with an access key."
        )
    )


async def _check_password(request: Request, credentials: Credentials) -> User:
    user = await auth_of(request).authenticator.authenticate(credentials, state_of(request).source)
    if user is None:
        raise BadCredentials(say("The user name or the password is wrong."))
    return user


async def _check_signature(request: Request, signature: Signature) -> User:
    limit = max(_MAX_BODY, _BYTES_PER_HOST * context_of(request).max_hosts)
    sentence = say(
        "The body is longer than the {limit} bytes that a signed request may have. Send less at a time.", limit=limit
    )
    body = partial(read_body, request, limit, sentence)
    return await auth_of(request).signatures.authenticate(signature, read_signed_parts(request), body)


async def _find_claimed_user(
    request: Request, credentials: Credentials | None, signature: Signature | None
) -> str | None:
    """Return the user whom a refused request names; None where no such user exists.

    A name of no user is not kept, since people do type passwords into the wrong field.
    """
    store = context_of(request).store
    if signature is not None:
        key = await store.access_keys.get(signature.key_id)
        return key.user if key else None
    user = await store.users.get(credentials.name) if credentials else None
    return user.name if user else None
