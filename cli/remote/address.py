"""The API's address and credentials: the flags go before the environment, and that before the client file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from cli.exits import ApiDenied
from cli.remote.signing import AccessKeyAuth
from cli.remote.sources import Flags, Source, read_environment, read_file, read_flags
from core.errors import Misconfigured
from infra.settings import ClientSettings

DEFAULT_URL: Final = "http://127.0.0.1:8080"
_ADVICE: Final = (
    "Give --user NAME (the password is asked for, or in --password-file), or set OCPFLEET_API_USER and "
    "OCPFLEET_API_PASSWORD, or OCPFLEET_ACCESS_KEY and OCPFLEET_SECRET_KEY, or write them to {file}."
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go, and the credentials that they carry."""

    url: str
    """Scheme, host, port, and the path prefix of a proxy if there is one; without /api/v2."""
    auth: httpx.Auth = field(repr=False)


def resolve(flags: Flags, settings: ClientSettings, ask: Callable[[str], str] | None) -> Address:
    """Return the API's address and the credentials.

    Args:
        flags: the command line, which goes before the environment.
        settings: the environment, which goes before the client file and also names that file.
        ask: asks a person for a user's password; None if there is no terminal.

    Raises:
        Misconfigured: a flag, a variable or the file is wrong.
        ApiDenied: there is no user, or no password for the user.
    """
    file = settings.client_file.expanduser()
    sources = (
        read_flags(flags),
        read_environment(settings),
        read_file(file, required="client_file" in settings.model_fields_set),
    )
    url = _check_url(next((one.api for one in sources if one.api), DEFAULT_URL))
    who = next((one for one in sources if one.has_credentials), None)
    if who is None:
        raise ApiDenied(f"No user and no access key is given. {_ADVICE.format(file=file)}")
    if who.user is not None and who.access_key is not None:
        raise Misconfigured(f"Both a user and an access key stand in {who.place}. Keep one of them.")
    if who.access_key is not None:
        if not who.secret_key:
            raise Misconfigured(f"An access key without its secret key stands in {who.place}. Add the secret key.")
        return Address(url, AccessKeyAuth(who.access_key, who.secret_key))
    user = who.user or ""
    return Address(url, httpx.BasicAuth(user, _find_password(user, sources, file, ask)))


def _find_password(user: str, sources: Sequence[Source], file: Path, ask: Callable[[str], str] | None) -> str:
    """Return the password of the first source that has one for this user, or one without any user's name."""
    for one in sources:
        if one.password and one.user in {user, None}:
            return one.password
    if ask is None:
        raise ApiDenied(f"There is no password for {user}, and no terminal to ask for it. {_ADVICE.format(file=file)}")
    return ask(user)


def _check_url(text: str) -> str:
    url = text.rstrip("/").removesuffix("/api/v2")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or port == 0:
        raise Misconfigured(f"{_mask_user(text)} is not a valid address of the API. Write one such as {DEFAULT_URL}.")
    if parts.username is not None or parts.password is not None:
        raise Misconfigured(
            f"{_mask_user(text)}: do not write a user or a password into the address. "
            + _ADVICE.format(file="the client file")
        )
    return url


def _mask_user(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://******@{tail}" if at else url
