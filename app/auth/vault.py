"""Encrypts secret keys for the store, with a key that only the API's machine has."""

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

    The file has one key a line. The first one encrypts and all decrypt, so a new key can be put above an old one.

    Args:
        file: the key file. Where it is missing, the first `seal` makes it with mode 0600.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._loaded: MultiFernet | None = None

    def check(self) -> None:
        """Check that the key file can be used, where it exists.

        Raises:
            Misconfigured: it cannot be read, other users may read it, or it holds no key.
        """
        if self._file.exists():
            self._load_keys()

    def seal(self, secret: str) -> str:
        """Encrypt a secret.

        Raises:
            Misconfigured: the key file cannot be used or made.
        """
        if not self._file.exists():
            self._make_file()
        return self._load_keys().encrypt(secret.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt a secret.

        Raises:
            Misconfigured: the key file is missing, cannot be used, or is not the one that encrypted the secret.
        """
        try:
            return self._load_keys().decrypt(sealed).decode()
        except InvalidToken:
            raise Misconfigured(
                say(
                    "The secret of the access key was encrypted with another key file than this server's. Give every "
                    "API process and `ocpfleet key add --direct` the same file in OCPFLEET_KEY_FILE, or make a new "
                    "access key."
                )
            ) from None

    def _load_keys(self) -> MultiFernet:
        if self._loaded is None:
            self._loaded = self._read_file()
        return self._loaded

    def _read_file(self) -> MultiFernet:
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
                    "The key file of OCPFLEET_KEY_FILE has mode {mode:04o}: other users may use it. Make it readable "
                    "by its owner only (chmod 600), and consider making new access keys.",
                    mode=stat.S_IMODE(mode),
                )
            )
        try:
            return MultiFernet([Fernet(line) for line in lines])
        except ValueError:
            raise Misconfigured(
                say(
                    "The key file of OCPFLEET_KEY_FILE has no usable key: each line must be a Fernet key. Put back "
                    "the file with which the access keys were made."
                )
            ) from None

    def _make_file(self) -> None:
        """Make the file. Where several processes do so at once, one wins and all use its file."""
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
