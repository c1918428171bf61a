"""Requests that are signed with an access key."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth.signature import Signature
from core.errors import BadCredentials
from core.signature import Signable, sign
from core.user import Role
from tests.support.api import NOW, STOP, Api, entry, running_api
from tests.support.signing import Signing, access_key

HOSTS = "/api/v2/compute/hosts"
MINUTE = 60_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "key"


@pytest.fixture
async def api(file: Path) -> AsyncIterator[Api]:
    async with running_api(key_file=file, max_hosts=100) as running:
        await running.store.hosts.put([entry(2)], 0)
        yield running


@pytest.fixture
async def signing(api: Api, file: Path) -> Signing:
    return await access_key(api.store, file, "admin", NOW)


async def signed(api: Api, auth: Signing, method: str = "POST", path: str = STOP, **changed: str) -> httpx.Response:
    """Send a request whose headers are changed after it was signed."""
    body: Any = {"json": {"hostIds": [2]}} if method == "POST" else {}
    request = api.client.build_request(method, path, **body)
    next(auth.auth_flow(request))
    for name, value in changed.items():
        request.headers[name.replace("_", "-")] = value
    return await api.client.send(request, auth=None)


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 30004
    assert answer.headers["www-authenticate"] == 'Basic realm="ocpfleet", charset="UTF-8"'
    message: str = answer.json()["error"]["message"]
    return message


SAMPLE_KEY, SAMPLE_URL = "2fc0c299cc94c6be266f2ceece765d4d", "http://ocp.alibaba.net:8080/api/v2/compute/idcs"
SAMPLES = (
    (
        httpx.Request(
            "POST",
            SAMPLE_URL,
            content=b'{"name":"test01","description":"test","regionId":1}',
            headers={
                "Content-Type": "application/json",
                "Date": "Tue, 17 Jan 2023 09:13:57 GMT",
                "x-ocp-data": "A,1",
            },
        ),
        "XN8P+O+v3vUabB16ZCooq5wMJoY=",
    ),
    (
        httpx.Request(
            "GET",
            f"{SAMPLE_URL}?size=100",
            headers={"Content-Type": "application/json;charset=utf-8", "Date": "Tue, 17 Jan 2023 04:14:02 GMT"},
        ),
        "TsQD6HDOuZuJ409m0wdnZPmijlc=",
    ),
)
"""What OCP's description shows: requests and their signatures."""


@pytest.mark.parametrize(("request_", "expected"), SAMPLES)
def test_the_tests_own_client_signs_as_the_description_shows(request_: httpx.Request, expected: str) -> None:
    assert Signing("AK", SAMPLE_KEY, NOW).sign(request_) == expected


async def test_a_client_that_signs_stops_and_looks(api: Api, signing: Signing) -> None:
    answer = await api.stop([2], auth=signing, headers={"X-OCP-Data": "A,1"})
    assert (answer.status_code, answer.json()["data"]["creator"]) == (200, "admin")
    for path in (HOSTS, f"{HOSTS}?size=100&page=1", f"{HOSTS}/2", "/api/v2/tasks/instances/1"):
        assert (await api.client.get(path, auth=signing)).status_code == 200


async def test_a_key_may_do_what_its_user_may(api: Api, file: Path) -> None:
    await api.user("viewer", Role.HOST_VIEWER)
    viewing = await access_key(api.store, file, "viewer", NOW)
    assert (await api.client.get(HOSTS, auth=viewing)).status_code == 200
    answer = await api.stop([2], auth=viewing)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 30014)


async def test_a_repeated_change_is_refused_by_every_process_and_a_repeated_look_is_not(
    api: Api, signing: Signing, file: Path
) -> None:
    async with running_api(api.store, key_file=file) as other:
        other.client.headers["host"] = api.client.headers["host"] = "fleet:8080"
        answers = await asyncio.gather(*(one.stop([2], auth=signing) for one in (api, other) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, *[401] * 9]
        replayed = next(answer for answer in answers if answer.status_code == 401)
        assert refused(replayed).startswith("This signature was used before, and each signature allows one change.")
        assert len(api.dispatcher.submitted) + len(other.dispatcher.submitted) == 1
        for one in (api, other):
            assert (await one.client.get(HOSTS, auth=signing)).status_code == 200
        later = replace(signing, now=NOW + 1000)
        assert (await other.stop([2], auth=later)).status_code == 200


async def test_a_replayed_delete_is_refused(api: Api, signing: Signing) -> None:
    checker = api.app.state.auth.signatures
    parts = Signable("DELETE", "", "", "Fri, 03 Sep 2021 07:01:10 GMT", "fleet", f"{HOSTS}/2")
    given = Signature(signing.key_id, sign(signing.secret, parts.messages()[0]))

    async def body() -> bytes:
        return b""

    assert (await checker.authenticate(given, parts, body)).name == "admin"
    with pytest.raises(BadCredentials, match="used before"):
        await checker.authenticate(given, parts, body)


@pytest.mark.parametrize(("off", "passes"), [(-15, True), (15, False), (-16, False), (16, False), (14, True)])
async def test_a_date_may_be_a_quarter_of_an_hour_off(api: Api, signing: Signing, off: int, *, passes: bool) -> None:
    # The server's clock stands 645 ms after a full second.
    auth = replace(signing, now=NOW - 645 + off * MINUTE + (1000 if off in {-15, 15} else 0))
    answer = await signed(api, auth)
    if passes:
        assert answer.status_code == 200
    else:
        assert (
            "differs from the server's clock by more than 15 minutes: it is Fri, 03 Sep 2021 07:01:10 GMT here."
            in refused(answer)
        )
    assert len(api.dispatcher.submitted) == passes


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Date": "2021-09-03T07:01:10Z"}, "Date 2021-09-03T07:01:10Z does not have the form"),
        ({"Date": "Fri, 03 Sep 2021 07:01:10 +0800"}, "does not have the form"),
        ({"Date": ""}, "A signed request needs a Date header"),
        ({"Date": "Fri, 03 Sep 2021 07:01:11 GMT"}, "The signature does not match the request or the secret key."),
        ({"Host": "fleet:8081"}, "Host fleet:8081,"),
        ({"Content-Type": "application/json; charset=utf-8"}, "Content-Type application/json; charset=utf-8,"),
        ({"X-OCP-Data": "B"}, "x-ocp headers x-ocp-data:B,"),
        ({"Authorization": "OCP-ACCESS-KEY-HMACSHA1 nonsense"}, "This one does not."),
        ({"Authorization": "OCP-ACCESS-KEY-HMACSHA1 "}, "This one does not."),
        ({"Authorization": "OCP-ACCESS-KEY-HMACSHA1 nobody:x"}, "There is no access key nobody: it was never made"),
    ],
)
async def test_what_is_wrong_is_said(api: Api, signing: Signing, changed: dict[str, str], said: str) -> None:
    assert said in refused(await signed(api, signing, **changed))
    assert api.dispatcher.submitted == []


async def test_headers_that_are_no_text(api: Api, signing: Signing) -> None:
    authorization = f"OCP-ACCESS-KEY-HMACSHA1 {signing.key_id}:x".encode()
    wrong = [(b"authorization", authorization), (b"date", b"caf\xe9")]
    answer = await api.client.get(HOSTS, auth=None, headers=wrong)
    assert refused(answer).startswith("Date caf? does not have the form")
    odd = [
        (b"authorization", authorization),
        (b"date", b"Fri, 03 Sep 2021 07:01:10 GMT"),
        (b"x-ocp-a", b"caf\xe9"),
        (b"content-type", b"\xff"),
    ]
    answer = await api.client.get(f"{HOSTS}?a=%ff", auth=None, headers=odd)
    assert "Content-Type ?," in refused(answer)
    answer = await api.client.get(HOSTS, auth=None, headers=[(b"authorization", b"OCP-ACCESS-KEY-HMACSHA1 \xff:\xff")])
    assert "needs a Date header" in refused(answer)


async def test_another_body_or_query_or_method_does_not_fit(api: Api, signing: Signing) -> None:
    request = api.client.build_request("POST", STOP, json={"hostIds": [2]})
    next(signing.auth_flow(request))
    right = request.headers["authorization"].rpartition(":")[2]
    headers = dict(request.headers) | {"content-length": "15"}
    other = api.client.build_request("POST", STOP, content=b'{"hostIds":[3]}', headers=headers)
    message = refused(await api.client.send(other, auth=None))
    assert "MD5 of the body " in message
    assert right not in message
    assert signing.secret not in message
    request = api.client.build_request("GET", f"{HOSTS}?size=10")
    next(signing.auth_flow(request))
    other = api.client.build_request("GET", f"{HOSTS}?size=11", headers=request.headers)
    assert "path and query /api/v2/compute/hosts?size=11." in refused(await api.client.send(other, auth=None))


async def test_a_wrong_secret_key(api: Api, signing: Signing) -> None:
    answer = await api.stop([2], auth=replace(signing, secret="0" * 64))
    message = refused(answer)
    assert message.startswith(
        "The signature does not match the request or the secret key. Compare them with what the server received: "
    )
    assert signing.secret not in message


async def test_a_body_longer_than_any_signed_one(api: Api, signing: Signing) -> None:
    answer = await api.client.post(STOP, content=b" " * (2**20 + 1), auth=signing)
    assert answer.status_code == 413
    content = b" " * 10_000
    answer = await api.client.post(STOP, content=content, auth=signing, headers={"content-type": "application/json"})
    assert answer.status_code == 413, "the route's own limit stands"


async def test_a_key_goes_with_its_user(api: Api, signing: Signing) -> None:
    await api.user("other", Role.ADMIN)
    admin = await api.store.users.get("admin")
    assert admin is not None
    assert await api.store.users.change(admin, None)
    assert "or it or its user was removed" in refused(await signed(api, signing))
    await api.user("admin", Role.ADMIN)
    assert "or it or its user was removed" in refused(await signed(api, signing)), "the name is somebody else's now"


async def test_a_key_that_is_removed(api: Api, signing: Signing) -> None:
    assert (await api.client.get(HOSTS, auth=signing)).status_code == 200
    await api.store.access_keys.remove(signing.key_id)
    assert "There is no access key" in refused(await signed(api, signing, "GET", HOSTS))


async def test_another_key_file_is_a_fault_of_the_server(signing: Signing, api: Api, tmp_path: Path) -> None:
    for name in ("missing", "other"):
        async with running_api(api.store, key_file=tmp_path / name) as other:
            if name == "other":
                await access_key(other.store, tmp_path / name, "admin", NOW)
            answer = await other.stop([2], auth=signing)
            assert answer.status_code == 500
            assert "OCPFLEET_KEY_FILE" in answer.json()["error"]["message"]
            assert str(tmp_path) not in answer.text


async def test_the_scheme_is_documented(api: Api) -> None:
    document = (await api.client.get("/openapi.json", auth=None)).json()
    assert {"accessKey": []} in document["paths"][STOP]["post"]["security"]
    assert {"basic": []} in document["paths"][STOP]["post"]["security"]
