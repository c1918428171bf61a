"""Where the API is and who asks: from flags, the environment and a file, the first of them that says it."""

import os
import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from cli.exits import ApiDenied
from cli.remote.signing import Signed
from core.errors import Misconfigured
from infra.settings import ClientSettings

DEFAULT_URL: Final = "http://127.0.0.1:8080"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LONGEST_PASSWORD: Final = 4096
_HOW: Final = (
    "Give --user NAME (the password is asked for, or in --password-file), or set OCPFLEET_API_USER and "
    "OCPFLEET_API_PASSWORD, or OCPFLEET_ACCESS_KEY and OCPFLEET_SECRET_KEY, or write them to {file}."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What one place says; None where it does not. The names are those of the file's keys."""

    api: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    place: str = "the flags"
    """How people call the place."""

    @property
    def names_somebody(self) -> bool:
        """Whether it says who asks."""
        return self.user is not None or self.access_key is not None


_KEYS: Final = tuple(one.name for one in fields(Given) if one.name != "place")


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says."""

    api: str | None = None
    user: str | None = None
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go, and how they say who asks."""

    url: str
    """Scheme, host and port, and a path where the API is behind one; without /api/v2."""
    auth: httpx.Auth = field(repr=False)


def resolve(flags: Flags, settings: ClientSettings, ask: Callable[[str], str] | None) -> Address:
    """Return where the API is and who asks.

    Args:
        flags: of the command line; they go before the environment, and that before the file.
        settings: the environment, which also names the file.
        ask: asks a person for a password; None where nobody is there.

    Raises:
        Misconfigured: a flag, a variable or the file cannot be right.
        ApiDenied: nothing says who asks, or with which password.
    """
    file = settings.client_file.expanduser()
    given = (
        _flags(flags),
        _environment(settings),
        read_file(file, required="client_file" in settings.model_fields_set),
    )
    url = _checked_url(next((one.api for one in given if one.api), DEFAULT_URL))
    who = next((one for one in given if one.names_somebody), None)
    if who is None:
        raise ApiDenied(f"Nothing says who you are. {_HOW.format(file=file)}")
    if who.user is not None and who.access_key is not None:
        raise Misconfigured(f"Both a user and an access key stand in {who.place}. Keep one of them.")
    if who.access_key is not None:
        if not who.secret_key:
            raise Misconfigured(f"An access key without its secret key stands in {who.place}. Add the secret key.")
        return Address(url, Signed(who.access_key, who.secret_key))
    user = who.user or ""
    return Address(url, httpx.BasicAuth(user, _password(user, given, file, ask)))


def read_file(file: Path, *, required: bool) -> Given:
    """Return what the client file says; nothing where it is missing and need not be there.

    Raises:
        Misconfigured: it is missing though it was named, cannot be read, may be read by others, or is not such a file.
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
        return Given()
    except OSError as error:
        raise Misconfigured(f"The client file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise Misconfigured(f'The client file {file} is not TOML. Write lines such as user = "admin".') from None
    for name, value in document.items():
        if name not in _KEYS or not isinstance(value, str):
            raise Misconfigured(f"The client file {file}: {name} is not known. Write texts for {', '.join(_KEYS)}.")
    return Given(**document, place=str(file))


def _flags(flags: Flags) -> Given:
    password = None
    if flags.password_file is not None:
        if flags.user is None:
            raise Misconfigured("--password-file needs --user NAME: whose password is it?")
        password = _read_password(flags.password_file)
    return Given(api=flags.api, user=flags.user, password=password)


def _environment(settings: ClientSettings) -> Given:
    return Given(
        api=settings.api_url,
        user=settings.api_user,
        password=settings.api_password.get_secret_value() if settings.api_password else None,
        access_key=settings.access_key,
        secret_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
        place="the environment",
    )


def _read_password(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            password = opened.readline(_LONGEST_PASSWORD).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Misconfigured(f"--password-file {file} cannot be read: {reason}.") from None
    if not password:
        raise Misconfigured(f"--password-file {file}: its first line is empty. Write the password there.")
    return password


def _password(user: str, given: tuple[Given, ...], file: Path, ask: Callable[[str], str] | None) -> str:
    """Return the password of the first place that names this user, or that names nobody but has one."""
    for one in given:
        if one.password and one.user in {user, None}:
            return one.password
    if ask is None:
        raise ApiDenied(f"There is no password for {user}, and nobody to ask for it. {_HOW.format(file=file)}")
    return ask(user)


def _checked_url(text: str) -> str:
    url = text.rstrip("/").removesuffix("/api/v2")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or port == 0:
        raise Misconfigured(f"{_without_user(text)} is not the API's address. Write one such as {DEFAULT_URL}.")
    if parts.username is not None or parts.password is not None:
        raise Misconfigured(
            f"{_without_user(text)}: write no user and no password into the address. "
            + _HOW.format(file="the client file")
        )
    return url


def _without_user(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://******@{tail}" if at else url
