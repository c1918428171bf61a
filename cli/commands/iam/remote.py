"""Users and access keys through the API."""

from collections.abc import Sequence
from urllib.parse import quote

from typing_extensions import override

from cli.commands.iam.backend import IamBackend
from cli.output import Document
from cli.remote import api as remote
from core.user import Role


class RemoteIam(IamBackend):
    """Sends each change to the API."""

    @override
    def list_users(self) -> list[Document]:
        return remote.run(lambda client: client.get_all("/iam/users"))

    @override
    def add_user(self, name: str, roles: Sequence[Role], password: str | None) -> Document:
        return _post("/iam/users", {"name": name, "roles": roles} | _to_body(password))

    @override
    def remove_user(self, name: str) -> None:
        remote.run(lambda client: client.delete(_make_path(name)))

    @override
    def change_password(self, name: str, password: str | None) -> Document:
        return _post(f"{_make_path(name)}/password", _to_body(password))

    @override
    def change_roles(self, name: str, roles: Sequence[Role]) -> Document:
        return _post(f"{_make_path(name)}/roles", {"roles": roles})

    @override
    def list_keys(self) -> list[Document]:
        return remote.run(lambda client: client.get_all("/iam/keys"))

    @override
    def add_key(self, user: str, description: str) -> Document:
        return _post("/iam/keys", {"user": user, "description": description})

    @override
    def remove_key(self, key: str) -> None:
        remote.run(lambda client: client.delete(f"/iam/keys/{quote(key, safe='')}"))


def _make_path(name: str) -> str:
    return f"/iam/users/{quote(name, safe='')}"


def _to_body(password: str | None) -> Document:
    return {} if password is None else {"password": password}


def _post(path: str, body: Document) -> Document:
    document: Document = remote.run(lambda client: client.post(path, body)).data
    return document
