"""Secret keys, encrypted for the store with a key that only the API's machine has."""

import os
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import Misconfigured
from core.text import say
from infra.private_file import write_draft

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Vault:
    """Encrypts and decrypts with the keys of a file.

    One key a line: the first encrypts, all decrypt, so that a new one can be put on top of an old one.

    Args:
        file: the key file; made (mode 0600) by the first `seal` where it is missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._loaded: MultiFernet | None = None

    def check(self) -> None:
        """See that the key file, where there is one, can be used.

        Raises:
            Misconfigured: it cannot be read, others may read it, or it holds no key.
        """
        if self._file.exists():
            self._keys()

    def seal(self, secret: str) -> str:
        """Return a secret, encrypted.

        Raises:
            Misconfigured: the key file cannot be used or made.
        """
        if not self._file.exists():
            self._make()
        return self._keys().encrypt(secret.encode()).decode()

    def opened(self, sealed: str) -> str:
        """Return a secret that was encrypted.

        Raises:
            Misconfigured: the key file is missing, cannot be used, or is not the one that it was encrypted with.
        """
        try:
            return self._keys().decrypt(sealed).decode()
        except InvalidToken:
            raise Misconfigured(
                say(
                    "The secret of the access key was encrypted with another key file than this server's. Give every "
                    "API process and `ocpfleet key add --direct` the same file in OCPFLEET_KEY_FILE, or make a new "
                    "access key."
                )
            ) from None

    def _keys(self) -> MultiFernet:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> MultiFernet:
        try:
            with self._file.open("rb") as opened:
                mode = os.fstat(opened.fileno()).st_mode
                lines = opened.read().split()
        except OSError as error:
            raise Misconfigured(
                say(
                    "The key file of OCPFLEET_KEY_FILE cannot be read: {reason}. Without it no secret of an access key "
                    "can be used. Put back the file with which the access keys were made.",
                    reason=error.strerror,
                )
            ) from None
        if mode & _OTHERS:
            raise Misconfigured(
                say(
                    "The key file of OCPFLEET_KEY_FILE has mode {mode:04o}: others may use it. "
                    "Make it readable by its owner only (chmod 600), and consider making new access keys.",
                    mode=stat.S_IMODE(mode),
                )
            )
        try:
            return MultiFernet([Fernet(line) for line in lines])
        except ValueError:
            raise Misconfigured(
                say(
                    "The key file of OCPFLEET_KEY_FILE holds no key that can be used: one Fernet key a line is "
                    "expected. Put back the file with which the access keys were made."
                )
            ) from None

    def _make(self) -> None:
        """Make the file. Of several processes at once one wins; all use its file."""
        try:
            draft = write_draft(self._file, Fernet.generate_key() + b"\n")
            try:
                self._file.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        except OSError as error:
            raise Misconfigured(
                say(
                    "Cannot write the key file {file}: {reason}. No access key was made. "
                    "Set OCPFLEET_KEY_FILE to a file in a directory that this user may write to.",
                    file=self._file,
                    reason=error.strerror,
                )
            ) from None
