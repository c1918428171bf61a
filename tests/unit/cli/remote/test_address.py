"""Where the API is and who asks: flags before the environment before the file."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.exits import ApiDenied
from cli.remote.address import resolve
from cli.remote.signing import AccessKeyAuth
from cli.remote.sources import Flags
from core.errors import Misconfigured
from infra.settings import ClientSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "client.toml", 'api = "https://fleet.example/x/"\nuser = "ann"\npassword = "of-file"\n')


def written(file: Path, text: str, mode: int = 0o600) -> Path:
    file.write_text(text)
    file.chmod(mode)
    return file


def who(auth: httpx.Auth) -> tuple[str, str]:
    """Return name and password that an authentication sends."""
    assert isinstance(auth, httpx.BasicAuth)
    request = next(auth.auth_flow(httpx.Request("GET", "http://fleet/")))
    expected = httpx.BasicAuth
    for name in ("ann", "bob", "admin"):
        for password in ("of-file", "of-environment", "of-flag", "typed"):
            same = next(expected(name, password).auth_flow(httpx.Request("GET", "http://fleet/")))
            if same.headers == request.headers:
                return name, password
    raise AssertionError(request.headers)


def test_the_file_alone(file: Path) -> None:
    found = resolve(Flags(), ClientSettings(client_file=file), None)
    assert (found.url, who(found.auth)) == ("https://fleet.example/x", ("ann", "of-file"))
    assert "of-file" not in repr(found)


def test_without_an_address_the_api_is_on_this_machine() -> None:
    found = resolve(Flags(), ClientSettings(api_user="bob", api_password="of-environment"), None)
    assert (found.url, who(found.auth)) == ("http://127.0.0.1:8080", ("bob", "of-environment"))


def test_the_environment_goes_before_the_file(file: Path) -> None:
    settings = ClientSettings(
        client_file=file, api_url="http://other:81/api/v2", api_user="bob", api_password="of-environment"
    )
    found = resolve(Flags(), settings, None)
    assert (found.url, who(found.auth)) == ("http://other:81", ("bob", "of-environment"))


def test_flags_go_before_all(file: Path, tmp_path: Path) -> None:
    settings = ClientSettings(client_file=file, api_user="bob", api_password="of-environment")
    secret = written(tmp_path / "password", "of-flag\nmore\n")
    found = resolve(Flags("http://third", "admin", secret), settings, None)
    assert (found.url, who(found.auth)) == ("http://third", ("admin", "of-flag"))


def test_a_password_goes_with_its_user_only(file: Path) -> None:
    found = resolve(Flags(user="ann"), ClientSettings(client_file=file), None)
    assert who(found.auth) == ("ann", "of-file")
    asked: list[str] = []

    def ask(user: str) -> str:
        asked.append(user)
        return "typed"

    found = resolve(Flags(user="bob"), ClientSettings(client_file=file), ask)
    assert (who(found.auth), asked) == (("bob", "typed"), ["bob"])


def test_an_access_key_signs(tmp_path: Path) -> None:
    found = resolve(Flags(), ClientSettings(access_key="ak", secret_key="sk"), None)
    assert isinstance(found.auth, AccessKeyAuth)
    file = written(tmp_path / "c", 'access_key = "ak"\nsecret_key = "sk"\n')
    assert isinstance(resolve(Flags(), ClientSettings(client_file=file), None).auth, AccessKeyAuth)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "No user and no access key is given. Give --user NAME"),
        ({"api_user": "bob"}, "There is no password for bob, and no terminal to ask for it. Give --user NAME"),
    ],
)
def test_no_credentials(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiDenied) as refused:
        resolve(Flags(), ClientSettings(**settings), None)
    assert refused.value.sentence.startswith(said)


@pytest.mark.parametrize(
    ("flags", "settings", "said"),
    [
        (Flags(), {"access_key": "ak"}, "An access key without its secret key stands in the environment."),
        (Flags(), {"access_key": "ak", "api_user": "bob"}, "Both a user and an access key stand in the environment."),
        (
            Flags(api="fleet:8080"),
            {},
            "fleet:8080 is not a valid address of the API. Write one such as http://127.0.0.1:8080.",
        ),
        (Flags(api="http://[::1"), {}, "http://[::1 is not a valid address of the API."),
        (Flags(api="http://h:99999"), {}, "http://h:99999 is not a valid address of the API."),
        (
            Flags(api="http://bob:pw@fleet"),
            {},
            "http://******@fleet: do not write a user or a password into",
        ),
        (Flags(password_file=Path("x")), {}, "--password-file needs --user NAME"),
        (Flags(user="bob", password_file=Path("/nowhere/x")), {}, "--password-file /nowhere/x cannot be read: No such"),
        (Flags(), {"client_file": "/nowhere/x"}, "OCPFLEET_CLIENT_FILE=/nowhere/x: there is no such file."),
    ],
)
def test_wrong_flags_and_settings_are_refused(flags: Flags, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        resolve(flags, ClientSettings(**settings), None)
    assert refused.value.sentence.startswith(said)
    assert "pw" not in refused.value.sentence.replace("password", "")


def test_a_file_that_others_may_read_is_refused(file: Path) -> None:
    for mode in (0o640, 0o604, 0o660):
        file.chmod(mode)
        with pytest.raises(Misconfigured, match=f"has mode {mode:04o}: others may read it. Run `chmod 600 "):
            resolve(Flags(), ClientSettings(client_file=file), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user = ", "is not TOML."),
        (
            "pass = 'hunter2'",
            "pass is not a valid entry. Write strings for api, user, password, access_key, secret_",
        ),
        ("password = 12345678", "password is not a valid entry."),
    ],
)
def test_a_file_with_wrong_content(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path / "c", text)
    with pytest.raises(Misconfigured) as refused:
        resolve(Flags(), ClientSettings(client_file=file), None)
    assert said in refused.value.sentence
    assert "hunter2" not in refused.value.sentence
    assert "12345678" not in refused.value.sentence


def test_an_empty_password_file(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="its first line is empty"):
        resolve(Flags(user="bob", password_file=written(tmp_path / "p", "\n")), ClientSettings(), None)
