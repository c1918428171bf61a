"""Access keys for clients that sign."""

from pathlib import Path

from app.auth.vault import Vault
from core.access_key import AccessKey, make_key_pair
from infra.store import Store
from tests.support.own_signature import Signing

__all__ = ["Signing", "access_key"]


async def access_key(store: Store, file: Path, user: str, now: int) -> Signing:
    """Give a user an access key and return a client's side of it."""
    owner = await store.users.get(user)
    assert owner is not None
    key_id, secret = make_key_pair()
    await store.access_keys.put(AccessKey(key_id, user, owner.id, Vault(file).seal(secret), "", now))
    return Signing(key_id, secret, now)
