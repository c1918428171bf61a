"""The columns of an inventory: their valid values, and the defaults of empty cells."""

import re
from collections.abc import Callable
from posixpath import normpath
from typing import Final

from core.host import parse_host_address
from infra.settings import InventorySettings

MAX_ID: Final = 2**63 - 1
MAX_PORT: Final = 65535
MAX_ALIAS: Final = 255
"""Characters."""
_KEY_WORDS: Final = 2
"""Words of a public key without its comment."""
_WHOLE: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_USER: Final = re.compile(r"[^\s:\x00-\x1f\x7f-][^\s:\x00-\x1f\x7f]{0,63}")
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


class InvalidCell(Exception):
    """A cell has an invalid value; the message says which values are valid."""


class CellReader:
    """Reads cells, with a method for each column. Each raises InvalidCell.

    Args:
        defaults: the values of empty cells.
        check_key: raises ValueError if a text is not a public key in OpenSSH's one-line form.
    """

    def __init__(self, defaults: InventorySettings, check_key: Callable[[str], object]) -> None:
        self._defaults = defaults
        self._check_key = check_key

    def read(self, column: str, text: str) -> None:
        """Check a cell of a column.

        Raises:
            InvalidCell: its value is invalid.
        """
        COLUMNS[column](self, text)

    def read_id(self, text: str) -> int:
        """Return the host's id."""
        if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= MAX_ID:
            raise InvalidCell(f"not an id. Write a whole number from 1 to {MAX_ID}.")
        return int(text)

    def read_address(self, text: str) -> str:
        """Return the host's address."""
        try:
            return parse_host_address(text)
        except ValueError:
            raise InvalidCell("not the IP address of a host. Write one such as 10.0.0.7 or fd00::7.") from None

    def read_port(self, text: str) -> int:
        """Return the port of the host's sshd."""
        if not text:
            return self._defaults.ssh_port
        if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= MAX_PORT:
            raise InvalidCell(f"not a port. Write a whole number from 1 to {MAX_PORT}.")
        return int(text)

    def read_user(self, text: str) -> str:
        """Return the user to log in as."""
        if text and not _USER.fullmatch(text):
            raise InvalidCell(
                "not a user name. Write up to 64 characters without spaces and colons, not starting with -."
            )
        return text or self._defaults.ssh_user

    def read_home(self, text: str) -> str:
        """Return the agent's directory on the host."""
        if not text:
            return self._defaults.agent_home
        plain = text.startswith("/") and text.isprintable() and ".." not in text.split("/")
        path = "/" + normpath(text).lstrip("/")
        if not plain or path == "/":
            raise InvalidCell(
                "not the agent's directory. Write an absolute path without .., such as /home/admin/ocp_agent."
            )
        return path

    def read_prefix(self, text: str) -> str:
        """Return the prefix of the names of the agent's programs."""
        if text not in {"", "ocp", "ob"}:
            raise InvalidCell("not a prefix of agent programs. Write ocp or ob.")
        return text or self._defaults.agent_prefix

    def read_sudo(self, text: str) -> bool:
        """Return whether commands run through sudo -n."""
        return self._read_flag(text) if text else self._defaults.sudo

    def _read_flag(self, text: str) -> bool:
        if text.lower() not in _TRUE | _FALSE:
            raise InvalidCell("not a yes or no. Write true or false.")
        return text.lower() in _TRUE

    def read_protection(self, text: str) -> bool | None:
        """Return whether the host is protected; None leaves its protection unchanged."""
        return self._read_flag(text) if text else None

    def read_host_key(self, text: str) -> str | None:
        """Return the host's public key without its comment; None if the cell is empty."""
        if not text:
            return None
        key = " ".join(text.split()[:_KEY_WORDS])
        try:
            self._check_key(key)
        except ValueError as error:
            raise InvalidCell(
                f"not a public key ({error}). Write its type and its base64 text, such as ssh-ed25519 AAAA…, "
                "or leave it out and run `ocpfleet hosts trust ID`."
            ) from None
        return key

    def read_alias(self, text: str) -> str | None:
        """Return the host's name for people; None if the cell is empty."""
        if len(text) > MAX_ALIAS or not text.isprintable():
            raise InvalidCell(f"not an alias. Write at most {MAX_ALIAS} printable characters.")
        return text or None


COLUMNS: Final[dict[str, Callable[[CellReader, str], object]]] = {
    "id": CellReader.read_id,
    "innerIpAddress": CellReader.read_address,
    "sshPort": CellReader.read_port,
    "sshUser": CellReader.read_user,
    "agentHome": CellReader.read_home,
    "agentPrefix": CellReader.read_prefix,
    "sudo": CellReader.read_sudo,
    "hostKey": CellReader.read_host_key,
    "alias": CellReader.read_alias,
    "protected": CellReader.read_protection,
}
"""Every column and the method that reads it."""
