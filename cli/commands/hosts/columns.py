"""The columns of an inventory: what may stand in each, and what it means where nothing stands there."""

import re
from collections.abc import Callable
from posixpath import normpath
from typing import Final

from core.host import parse_host_address
from infra.settings import InventorySettings

_LARGEST_ID: Final = 2**63 - 1
_LARGEST_PORT: Final = 65535
_KEY_WORDS: Final = 2
_LONGEST: Final = 255
_WHOLE: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_USER: Final = re.compile(r"[^\s:\x00-\x1f\x7f-][^\s:\x00-\x1f\x7f]{0,63}")
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


class Fault(Exception):
    """What is wrong with a cell; `str()` says what is right."""


class Reader:
    """Reads cells.

    Args:
        defaults: for cells that are empty.
        check_key: raises ValueError where a text is no public key in OpenSSH's one-line form.
    """

    def __init__(self, defaults: InventorySettings, check_key: Callable[[str], object]) -> None:
        self._defaults = defaults
        self._check_key = check_key

    def read(self, column: str, text: str) -> None:
        """See that a cell of a column is right.

        Raises:
            Fault: it is not.
        """
        COLUMNS[column](self, text)

    def identity(self, text: str) -> int:
        """Return the host's id."""
        if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= _LARGEST_ID:
            raise Fault(f"not an id. Write a whole number from 1 to {_LARGEST_ID}.")
        return int(text)

    def address(self, text: str) -> str:
        """Return the host's address."""
        try:
            return parse_host_address(text)
        except ValueError:
            raise Fault("no IP address of a host. Write one such as 10.0.0.7 or fd00::7.") from None

    def port(self, text: str) -> int:
        """Return the port of the host's sshd."""
        if not text:
            return self._defaults.ssh_port
        if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= _LARGEST_PORT:
            raise Fault(f"not a port. Write a whole number from 1 to {_LARGEST_PORT}.")
        return int(text)

    def user(self, text: str) -> str:
        """Return whom to log in as."""
        if text and not _USER.fullmatch(text):
            raise Fault("not a user name. Write up to 64 characters without spaces and colons, not starting with -.")
        return text or self._defaults.ssh_user

    def home(self, text: str) -> str:
        """Return the agent's directory on the host."""
        if not text:
            return self._defaults.agent_home
        plain = text.startswith("/") and text.isprintable() and ".." not in text.split("/")
        path = "/" + normpath(text).lstrip("/")
        if not plain or path == "/":
            raise Fault("not the agent's directory. Write an absolute path without .., such as /home/admin/ocp_agent.")
        return path

    def prefix(self, text: str) -> str:
        """Return what the names of the agent's programs start with."""
        if text not in {"", "ocp", "ob"}:
            raise Fault("not a prefix of agent programs. Write ocp or ob.")
        return text or self._defaults.agent_prefix

    def sudo(self, text: str) -> bool:
        """Return whether commands run through sudo -n."""
        return self._flag(text) if text else self._defaults.sudo

    def _flag(self, text: str) -> bool:
        if text.lower() not in _TRUE | _FALSE:
            raise Fault("neither yes nor no. Write true or false.")
        return text.lower() in _TRUE

    def protected(self, text: str) -> bool | None:
        """Return whether no request may touch the host; None leaves it as it is."""
        return self._flag(text) if text else None

    def host_key(self, text: str) -> str | None:
        """Return the host's public key without its comment, or None where none is given."""
        if not text:
            return None
        key = " ".join(text.split()[:_KEY_WORDS])
        try:
            self._check_key(key)
        except ValueError as error:
            raise Fault(
                f"not a public key ({error}). Write its type and its base64 text, such as ssh-ed25519 AAAA…, "
                "or leave it out and run `ocpfleet hosts trust ID`."
            ) from None
        return key

    def alias(self, text: str) -> str | None:
        """Return the host's name for people, or None where it has none."""
        if len(text) > _LONGEST or not text.isprintable():
            raise Fault(f"not an alias. Write at most {_LONGEST} printable characters.")
        return text or None


COLUMNS: Final[dict[str, Callable[[Reader, str], object]]] = {
    "id": Reader.identity,
    "innerIpAddress": Reader.address,
    "sshPort": Reader.port,
    "sshUser": Reader.user,
    "agentHome": Reader.home,
    "agentPrefix": Reader.prefix,
    "sudo": Reader.sudo,
    "hostKey": Reader.host_key,
    "alias": Reader.alias,
    "protected": Reader.protected,
}
"""Every column and how it is read."""
