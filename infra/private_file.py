"""The one writer of private files, which only their owner may read: passwords, keys, backups."""

import os
import secrets
from pathlib import Path
from typing import BinaryIO, Final

_MODE: Final = 0o600


def create_private(path: Path) -> BinaryIO:
    """Create a new private file, and return it open for writing.

    Raises:
        FileExistsError: there is such a file already.
        OSError: it cannot be created.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb")


def write_draft(path: Path, content: bytes) -> Path:
    """Write a private file beside `path`, on disk when this returns, and return its path.

    The caller renames, links or removes it. A missing directory is made.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with create_private(draft) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def write_private(path: Path, content: bytes) -> None:
    """Write a private file, or replace it. Readers see the old content or the new one, never a part.

    Raises:
        OSError: it cannot be written.
    """
    write_draft(path, content).replace(path)
