"""The access keys of the users: to look at, make and remove them. Shared by the routes and `ocpfleet key --direct`."""

import re
from dataclasses import dataclass, field
from typing import Final

from app.auth.vault import Vault
from app.iam.users import find_user
from core.access_key import AccessKey, make_key_pair
from core.errors import InvalidRequest, NotFound
from core.text import say
from infra.store import Store

LONGEST: Final = 200
"""Most characters of a description."""
ONE_LINE: Final = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"
"""What a description may be made of: no control characters and no line ends."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new access key, and its secret: the only time that it is known."""

    key: AccessKey
    secret: str = field(repr=False)


def checked_description(text: str) -> str:
    """Return what may be noted of a key.

    Raises:
        InvalidRequest: it is too long, or more than a line.
    """
    if not re.fullmatch(ONE_LINE, text) or len(text) > LONGEST:
        sentence = say("description: a description is one line of up to {most} characters.", most=LONGEST)
        raise InvalidRequest("description", text[:LONGEST], sentence)
    return text


async def add_key(store: Store, vault: Vault, user: str, description: str, now: int) -> Made:
    """Make an access key.

    Args:
        store: where it is kept.
        vault: encrypts its secret.
        user: whose permissions it has.
        description: what people note of it.
        now: milliseconds since the epoch.

    Raises:
        InvalidRequest: the description cannot be one.
        NotFound: there is no such user.
        Misconfigured: the key file of the API cannot be used.
    """
    checked_description(description)
    owner = await find_user(store, user)
    key_id, secret = make_key_pair()
    key = AccessKey(key_id, owner.name, owner.id, vault.seal(secret), description, now)
    await store.access_keys.put(key)
    return Made(key, secret)


async def remove_key(store: Store, key_id: str) -> None:
    """Remove an access key.

    Raises:
        NotFound: there is none of that id.
    """
    if not await store.access_keys.remove(key_id):
        raise NotFound(
            say("There is no access key {id}. `ocpfleet key list` or GET /api/v2/iam/keys shows them all.", id=key_id)
        )
