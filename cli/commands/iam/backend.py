"""Users and access keys by two ways: the API, and the store itself where there is no API or nobody who may.

Both answer with the documents of the API's replies.
"""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from typing_extensions import override

from app.auth.passwords import Argon2
from app.auth.vault import Vault
from app.iam import access_keys, users
from app.iam.views import changed_user_document, key_document, new_key_document, user_document
from cli import direct_store as session
from cli.output import Document
from cli.remote import api as use
from core.user import Role
from infra.clock import now
from infra.settings import ApiSettings, load
from infra.store.base import Store


class People(Protocol):
    """What the commands do with users and access keys. All raise FleetError where it was not done."""

    def users(self) -> list[Document]:
        """Return the users, by name."""

    def add_user(self, name: str, roles: Sequence[Role], password: str | None) -> Document:
        """Add a user; without a password one is generated, and returned this once."""

    def remove_user(self, name: str) -> None:
        """Remove a user and its access keys."""

    def change_password(self, name: str, password: str | None) -> Document:
        """Change a password; None has one generated, and returned this once."""

    def change_roles(self, name: str, roles: Sequence[Role]) -> Document:
        """Give a user other roles."""

    def keys(self) -> list[Document]:
        """Return the access keys, oldest first."""

    def add_key(self, user: str, description: str) -> Document:
        """Make an access key; its secret is returned this once."""

    def remove_key(self, key: str) -> None:
        """Remove an access key."""


class RemotePeople(People):
    """By the API."""

    @override
    def users(self) -> list[Document]:
        return use.run(lambda client: client.everything("/iam/users"))

    @override
    def add_user(self, name: str, roles: Sequence[Role], password: str | None) -> Document:
        return _posted("/iam/users", {"name": name, "roles": roles} | _chosen(password))

    @override
    def remove_user(self, name: str) -> None:
        use.run(lambda client: client.delete(_user(name)))

    @override
    def change_password(self, name: str, password: str | None) -> Document:
        return _posted(f"{_user(name)}/password", _chosen(password))

    @override
    def change_roles(self, name: str, roles: Sequence[Role]) -> Document:
        return _posted(f"{_user(name)}/roles", {"roles": roles})

    @override
    def keys(self) -> list[Document]:
        return use.run(lambda client: client.everything("/iam/keys"))

    @override
    def add_key(self, user: str, description: str) -> Document:
        return _posted("/iam/keys", {"user": user, "description": description})

    @override
    def remove_key(self, key: str) -> None:
        use.run(lambda client: client.delete(f"/iam/keys/{quote(key, safe='')}"))


def _user(name: str) -> str:
    return f"/iam/users/{quote(name, safe='')}"


def _chosen(password: str | None) -> Document:
    return {} if password is None else {"password": password}


def _posted(path: str, body: Document) -> Document:
    document: Document = use.run(lambda client: client.post(path, body)).data
    return document


class DirectPeople(People):
    """In the store itself, as its settings name it; the audit has the operating system's user."""

    @override
    def users(self) -> list[Document]:
        return [user_document(user) for user in session.run(users.list_users)]

    @override
    def add_user(self, name: str, roles: Sequence[Role], password: str | None) -> Document:
        async def add(store: Store) -> users.Changed:
            added = await users.add_user(store, Argon2(), name, roles, password)
            await session.audited(store, f"user add {name}", _roles(roles))
            return added

        return changed_user_document(session.run(add))

    @override
    def remove_user(self, name: str) -> None:
        async def remove(store: Store) -> None:
            keys = await users.remove_user(store, name)
            await session.audited(store, f"user remove {name}", {"accessKeys": ", ".join(keys)} if keys else {})

        session.run(remove)

    @override
    def change_password(self, name: str, password: str | None) -> Document:
        async def change(store: Store) -> users.Changed:
            changed = await users.change_password(store, Argon2(), name, password)
            await session.audited(store, f"user password {name}", {})
            return changed

        return changed_user_document(session.run(change))

    @override
    def change_roles(self, name: str, roles: Sequence[Role]) -> Document:
        async def change(store: Store) -> users.Changed:
            changed = await users.change_roles(store, name, roles)
            await session.audited(store, f"user roles {name}", _roles(roles))
            return users.Changed(changed)

        return changed_user_document(session.run(change))

    @override
    def keys(self) -> list[Document]:
        return [key_document(key) for key in session.run(lambda store: store.access_keys.all())]

    @override
    def add_key(self, user: str, description: str) -> Document:
        vault = Vault(load(ApiSettings).key_file)

        async def add(store: Store) -> access_keys.Made:
            made = await access_keys.add_key(store, vault, user, description, now())
            await session.audited(store, f"key add {user}", {"accessKey": made.key.id})
            return made

        return new_key_document(session.run(add))

    @override
    def remove_key(self, key: str) -> None:
        async def remove(store: Store) -> None:
            await access_keys.remove_key(store, key)
            await session.audited(store, f"key remove {key}", {})

        session.run(remove)


def _roles(roles: Sequence[Role]) -> dict[str, str]:
    return {"roles": ", ".join(sorted(roles))}


def people(*, direct: bool) -> People:
    """Return the way that a command takes."""
    return DirectPeople() if direct else RemotePeople()
