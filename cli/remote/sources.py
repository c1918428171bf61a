"""What each source says about the API and the user: the flags, the environment and the client file."""

import os
import stat
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from core.errors import Misconfigured
from infra.settings import ClientSettings

MAX_PASSWORD: Final = 4096
"""Characters of a password file's first line that are read."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Source:
    """The values of one source; None where it has none. Field names are the keys of the client file."""

    api: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    place: str = "the flags"
    """The source's name in messages."""

    @property
    def has_credentials(self) -> bool:
        """Whether it names a user or an access key."""
        return self.user is not None or self.access_key is not None


_KEYS: Final = tuple(one.name for one in fields(Source) if one.name != "place")


@dataclass(frozen=True, slots=True)
class Flags:
    """The options on the command line that describe the API."""

    api: str | None = None
    user: str | None = None
    password_file: Path | None = None


def read_flags(flags: Flags) -> Source:
    """Return what the command line says.

    Raises:
        Misconfigured: the password file has no user, cannot be read, or is empty.
    """
    password = None
    if flags.password_file is not None:
        if flags.user is None:
            raise Misconfigured("--password-file needs --user NAME: whose password is it?")
        password = _read_password(flags.password_file)
    return Source(api=flags.api, user=flags.user, password=password)


def read_environment(settings: ClientSettings) -> Source:
    """Return what the environment variables say."""
    return Source(
        api=settings.api_url,
        user=settings.api_user,
        password=settings.api_password.get_secret_value() if settings.api_password else None,
        access_key=settings.access_key,
        secret_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
        place="the environment",
    )


def read_file(file: Path, *, required: bool) -> Source:
    """Return what the client file says; an empty source if it is missing and not required.

    Raises:
        Misconfigured: the file is required but missing, cannot be read, can be read by other users, or has a wrong
            content.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if mode & _OTHERS:
                raise Misconfigured(
                    f"The client file {file} has mode {stat.S_IMODE(mode):04o}: others may read it. "
                    f"Run `chmod 600 {file}`, and consider a new password or access key."
                )
            document = tomllib.load(opened)
    except FileNotFoundError:
        if required:
            raise Misconfigured(f"OCPFLEET_CLIENT_FILE={file}: there is no such file.") from None
        return Source()
    except OSError as error:
        raise Misconfigured(f"The client file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise Misconfigured(f'The client file {file} is not TOML. Write lines such as user = "admin".') from None
    for name, value in document.items():
        if name not in _KEYS or not isinstance(value, str):
            raise Misconfigured(
                f"The client file {file}: {name} is not a valid entry. Write strings for {', '.join(_KEYS)}."
            )
    return Source(**document, place=str(file))


def _read_password(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            password = opened.readline(MAX_PASSWORD).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Misconfigured(f"--password-file {file} cannot be read: {reason}.") from None
    if not password:
        raise Misconfigured(f"--password-file {file}: its first line is empty. Write the password there.")
    return password
