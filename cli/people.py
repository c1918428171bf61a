"""Users as the commands find and change them."""

from core.errors import NotFound, Unavailable
from core.user import Role, User
from infra.store.base import Store


async def found(store: Store, name: str) -> User:
    """Return a user.

    Raises:
        NotFound: there is none of that name.
    """
    user = await store.users.get(name)
    if user is None:
        raise NotFound(f"There is no user {name}. `ocpfleet user list` shows them all.")
    return user


async def change(store: Store, old: User, new: User) -> None:
    """Put a user in the place of what was read of it.

    Raises:
        Unavailable: somebody else changed it in between; nothing was done.
    """
    if not await store.users.change(old, new):
        raise Unavailable(f"User {old.name} was changed by somebody else just now. Nothing was done; try again.")


async def is_last_admin(store: Store, user: User) -> bool:
    """Return whether nobody but this user has the role ADMIN."""
    admins = {other.name for other in await store.users.all() if Role.ADMIN in other.roles}
    return admins == {user.name}
