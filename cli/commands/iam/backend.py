"""Users and access keys for the commands, in the form of the API's replies."""

from collections.abc import Sequence
from typing import Protocol

from cli.output import Document
from core.user import Role


class IamBackend(Protocol):
    """Reads and changes users and access keys. Every method raises FleetError if it could not do its work."""

    def list_users(self) -> list[Document]:
        """Return the users, by name."""

    def add_user(self, name: str, roles: Sequence[Role], password: str | None) -> Document:
        """Add a user. For None a password is generated and returned once."""

    def remove_user(self, name: str) -> None:
        """Remove a user and its access keys."""

    def change_password(self, name: str, password: str | None) -> Document:
        """Change a password. For None a password is generated and returned once."""

    def change_roles(self, name: str, roles: Sequence[Role]) -> Document:
        """Replace a user's roles."""

    def list_keys(self) -> list[Document]:
        """Return the access keys, oldest first."""

    def add_key(self, user: str, description: str) -> Document:
        """Make an access key. Its secret key is returned once."""

    def remove_key(self, key: str) -> None:
        """Remove an access key."""
