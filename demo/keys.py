"""SSH key pairs for clients and servers of tests and demonstrations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from infra.private_file import write_private

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An ed25519 key pair in two files.

    Attributes:
        private: The private key's file, readable by its owner only, without a passphrase.
        public: The public key's file.
        line: The public key: "ssh-ed25519 AAAA…", without a comment.
    """

    private: Path
    public: Path
    line: str


def make_key_pair(directory: Path, name: str = "id_ed25519") -> KeyPair:
    """Make a key pair in a directory, which need not exist."""
    directory.mkdir(parents=True, exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    private, public = directory / name, directory / f"{name}.pub"
    write_private(private, key.export_private_key())
    public.write_bytes(key.export_public_key())
    return KeyPair(private, public, " ".join(public.read_text().split()[:2]))
