"""Makes and removes access keys of users. The routes and `ocpfleet key --direct` share it."""

import re
from dataclasses import dataclass, field
from typing import Final

from app.auth.vault import Vault
from app.iam.users import find_user
from core.access_key import AccessKey, make_key_pair
from core.errors import InvalidRequest, NotFound
from core.text import say
from infra.store import Store

MAX_DESCRIPTION_LENGTH: Final = 200
"""How many characters a description may have."""
ONE_LINE: Final = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"
"""What a description must match: no control characters and no line ends."""


@dataclass(frozen=True, slots=True)
class NewAccessKey:
    """A new access key and its secret, which is known only now."""

    key: AccessKey
    secret: str = field(repr=False)


def check_description(text: str) -> str:
    """Return a description of a key, if it is valid.

    Raises:
        InvalidRequest: it is too long, or has more than one line.
    """
    if not re.fullmatch(ONE_LINE, text) or len(text) > MAX_DESCRIPTION_LENGTH:
        sentence = say("description: write one line of at most {most} characters.", most=MAX_DESCRIPTION_LENGTH)
        raise InvalidRequest("description", text[:MAX_DESCRIPTION_LENGTH], sentence)
    return text


async def add_key(store: Store, vault: Vault, user: str, description: str, now: int) -> NewAccessKey:
    """Make an access key.

    Args:
        store: keeps it.
        vault: encrypts its secret.
        user: whose permissions it has.
        description: a note for people.
        now: milliseconds since the epoch.

    Raises:
        InvalidRequest: the description is invalid.
        NotFound: the user does not exist.
        Misconfigured: the key file of the API cannot be used.
    """
    check_description(description)
    owner = await find_user(store, user)
    key_id, secret = make_key_pair()
    key = AccessKey(key_id, owner.name, owner.id, vault.seal(secret), description, now)
    await store.access_keys.put(key)
    return NewAccessKey(key, secret)


async def remove_key(store: Store, key_id: str) -> None:
    """Remove an access key.

    Raises:
        NotFound: the key does not exist.
    """
    if not await store.access_keys.remove(key_id):
        raise NotFound(
            say("There is no access key {id}. `ocpfleet key list` or GET /api/v2/iam/keys shows them all.", id=key_id)
        )
