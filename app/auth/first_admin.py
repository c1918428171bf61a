"""The first user: `admin`, with a password that is generated on the first start and shown once, on a terminal."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from app.auth.passwords import Passwords, generate_password
from core.errors import Misconfigured
from core.user import Role, User
from infra.private_file import write_draft
from infra.store.users import Users

ADMIN: Final = "admin"


async def ensure_admin(users: Users, passwords: Passwords, file: Path) -> None:
    """Make the user `admin` where the store has no user.

    Where several processes start at once, one wins. Only its password is written, and shown if this is a terminal. The
    password is first written beside the file, so that a crash in between does not lose it.

    Raises:
        Misconfigured: the file cannot be written; no user was made.
        StoreUnavailable: the store does not answer.
    """
    if await users.count():
        return
    password = generate_password()
    draft = _write_draft(file, password)
    password_hash = await asyncio.to_thread(passwords.hash, password)
    if not await users.put(User(0, ADMIN, password_hash, frozenset({Role.ADMIN}))):
        draft.unlink()
        return
    draft.replace(file)
    # Shown only to a person at a terminal: anywhere else it would become a log, which is kept and shipped.
    shown = f"   Password: {password}\n  Shown once; kept" if sys.stderr.isatty() else "\n  Its password is"
    sys.stderr.write(f"\n  First start. User: {ADMIN}{shown} in {file} (mode 0600).\n\n")
    sys.stderr.flush()


def _write_draft(file: Path, password: str) -> Path:
    """Write a password to a new file beside `file` that only this user can read, and return that file."""
    try:
        return write_draft(file, f"{password}\n".encode())
    except OSError as error:
        raise Misconfigured(
            f"Cannot write the password of {ADMIN} to {file}: {error.strerror}. No user was made. "
            "Set OCPFLEET_ADMIN_PASSWORD_FILE to a file in a directory that this user may write to."
        ) from None
