"""Users and access keys over HTTP: who may do what to whom, and what is never told again."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth.vault import Vault
from app.http.schemas import Reply
from app.iam.schemas import ChangedUser, KeyPage, NewKey, UserPage
from app.tasks.schemas import TaskHostPage
from core.user import Role
from infra.logs import configure_logging
from tests.support.api import NOW, Api, entry, running_api
from tests.support.signing import Signing

USERS = "/api/v2/iam/users"
KEYS = "/api/v2/iam/keys"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(key_file=tmp_path / "key") as running:
        yield running


def data(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    said: str = answer.json()["error"]["message"]
    return said


async def audit(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(await api.client.get("/api/v2/audit?size=100"))["contents"]
    return found[::-1]


async def test_a_user_comes_in_with_the_password_that_is_shown_once(api: Api) -> None:
    answer = await api.client.post(USERS, json={"name": "ann", "roles": ["TASK_VIEWER", "HOST_VIEWER", "TASK_VIEWER"]})
    added = data(answer)
    assert added == {"id": 101, "name": "ann", "password": added["password"], "roles": ["HOST_VIEWER", "TASK_VIEWER"]}
    assert answer.headers["cache-control"] == "no-store"
    Reply[ChangedUser].model_validate_json(answer.text)
    came = await api.client.get("/api/v2/compute/hosts", auth=("ann", added["password"]))
    assert came.status_code == 200
    listed = await api.client.get(USERS)
    assert data(listed) == {
        "contents": [
            {"accessKeys": 0, "id": 100, "name": "admin", "roles": ["ADMIN"]},
            {"accessKeys": 0, "id": 101, "name": "ann", "roles": ["HOST_VIEWER", "TASK_VIEWER"]},
        ],
        "page": {"number": 1, "size": 10, "totalElements": 2, "totalPages": 1},
    }
    Reply[UserPage].model_validate_json(listed.text)
    second = data(await api.client.get(f"{USERS}?page=2&size=1"))
    assert ([user["name"] for user in second["contents"]], second["page"]["totalPages"]) == (["ann"], 2)


async def test_a_chosen_password_is_not_repeated(api: Api) -> None:
    answer = await api.client.post(USERS, json={"name": "ann", "roles": ["TASK_VIEWER"], "password": "long enough"})
    assert "password" not in data(answer)
    assert (await api.client.get("/api/v2/tasks/instances", auth=("ann", "long enough"))).status_code == 200


async def test_a_name_is_given_once(api: Api) -> None:
    said = refused(await api.client.post(USERS, json={"name": "admin", "roles": ["TASK_VIEWER"]}), 409)
    assert said == "User admin already exists. Nothing was done; choose another name."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"roles": ["ADMIN"]}, "name is missing."),
        ({"name": 7, "roles": ["ADMIN"]}, "name is not a string."),
        ({"name": "a:b", "roles": ["ADMIN"]}, "name: 'a:b' is not a user name."),
        ({"name": "..", "roles": ["ADMIN"]}, "name: '..' is not a user name."),
        ({"name": "ann"}, "roles: send a list of at least one of ADMIN, "),
        ({"name": "ann", "roles": []}, "roles: send a list"),
        ({"name": "ann", "roles": ["ADMIN", "KING"]}, "roles[1]: there is no such role."),
        ({"name": "ann", "roles": ["ADMIN"], "pass": "x"}, "pass: there is no such field. Send only {"),
        ({"name": "ann", "roles": ["ADMIN"], "password": "short77"}, "password: a password has 8 to 1024 characters."),
        ({"name": "ann", "roles": ["ADMIN"], "password": 12345678}, "password is not a string."),
        ([], "The body is a list, not an object."),
    ],
)
async def test_a_body_that_cannot_be_done(api: Api, body: object, said: str) -> None:
    assert refused(await api.client.post(USERS, json=body), 400).startswith(said)
    assert await api.store.users.count() == 1


async def test_a_password_in_a_refused_body_is_told_to_nobody(
    api: Api, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("json", "debug")
    headers = {"Content-Type": "application/json"}
    with caplog.at_level(logging.DEBUG):
        for body in (
            '{"name": "ann", "roles": ["TASK_VIEWER"], "passwort": "hunter2-hunter2"}',
            '{"name": "ann", "roles": ["TASK_VIEWER"], "password": "hunter2-hunter2"',
            '"hunter2-hunter2"',
            '{"name": "ann", "roles": ["TASK_VIEWER"], "password": ["hunter2-hunter2"]}',
            '{"name": "ann", "roles": ["TASK_VIEWER"], "password": "hunter2-hunter2' + "x" * 2000 + '"}',
        ):
            answer = await api.client.post(USERS, content=body, headers=headers)
            assert answer.status_code == 400
            assert "hunter2" not in answer.text
        answer = await api.client.post(USERS, content='"hunter2-hunter2"', headers={"Content-Type": "text/plain"})
        assert answer.status_code == 415
    out, err = capsys.readouterr()
    kept = await audit(api)
    assert len(kept) == 6
    assert "hunter2" not in json.dumps(kept) + out + err + caplog.text


async def test_secrets_are_in_no_audit_no_log_and_not_in_the_store(
    api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("json", "debug")
    with caplog.at_level(logging.DEBUG):
        chosen = {"name": "ann", "roles": ["TASK_VIEWER"], "password": "chosen-by-ann"}
        await api.client.post(USERS, json=chosen)
        made = data(await api.client.post(f"{USERS}/ann/password", json={}))["password"]
        key = data(await api.client.post(KEYS, json={"user": "ann", "description": "cron"}))
        await api.client.post(f"{USERS}/ann/roles", json={"roles": ["TASK_MANAGER"]})
        await api.client.delete(f"{USERS}/ann")
    out, err = capsys.readouterr()
    kept = await audit(api)
    told = json.dumps(kept) + out + err + caplog.text + repr(await api.store.access_keys.all())
    for secret in ("chosen-by-ann", made, key["secretKey"]):
        assert secret not in told
    assert [(one["method"], one["path"], one["fields"]) for one in kept] == [
        ("POST", USERS, {"name": "ann", "roles": "TASK_VIEWER"}),
        ("POST", f"{USERS}/ann/password", {}),
        ("POST", KEYS, {"user": "ann", "accessKey": key["accessKey"]}),
        ("POST", f"{USERS}/ann/roles", {"roles": "TASK_MANAGER"}),
        ("DELETE", f"{USERS}/ann", {"accessKeys": key["accessKey"]}),
    ]
    assert {one["user"] for one in kept} == {"admin"}
    assert (tmp_path / "key").exists()


async def test_a_new_password_takes_the_place_of_the_old_one(api: Api) -> None:
    await api.user("ann", Role.TASK_VIEWER)
    answer = data(await api.client.post(f"{USERS}/ann/password", json={"password": "another one"}))
    assert answer == {"id": 101, "name": "ann", "roles": ["TASK_VIEWER"]}
    assert (await api.client.get("/api/v2/tasks/instances", auth=("ann", "another one"))).status_code == 200
    assert refused(await api.client.post(f"{USERS}/bob/password", json={}), 404).startswith("There is no user bob.")


async def test_nobody_locks_everybody_out(api: Api) -> None:
    own = await api.client.post(f"{USERS}/admin/roles", json={"roles": ["TASK_VIEWER"]})
    assert refused(own, 409) == (
        "admin cannot give up the role ADMIN. Ask another user with the role ADMIN to take it away."
    )
    assert refused(await api.client.delete(f"{USERS}/admin"), 409).startswith("admin cannot remove the user that makes")
    kept = data(await api.client.post(f"{USERS}/admin/roles", json={"roles": ["ADMIN", "TASK_VIEWER"]}))
    assert kept["roles"] == ["ADMIN", "TASK_VIEWER"]
    other = await api.user("ann", Role.ADMIN)
    assert (await api.client.delete(f"{USERS}/admin", auth=other)).status_code == 200
    # The API remembers a proved password for a minute: admin still comes in, and meets the last ADMIN.
    last = "ann is the last user with the role ADMIN. Nothing was done."
    assert refused(await api.client.delete(f"{USERS}/ann"), 409) == last
    assert refused(await api.client.post(f"{USERS}/ann/roles", json={"roles": ["TASK_VIEWER"]}), 409) == last


async def test_a_user_goes_with_its_keys(api: Api) -> None:
    await api.user("ann", Role.TASK_VIEWER)
    for user in ("ann", "admin", "ann"):
        data(await api.client.post(KEYS, json={"user": user}))
    assert (await api.client.delete(f"{USERS}/ann")).status_code == 200
    assert [key["user"] for key in data(await api.client.get(KEYS))["contents"]] == ["admin"]
    assert refused(await api.client.delete(f"{USERS}/ann"), 404).startswith("There is no user ann.")


async def test_a_key_signs_until_it_is_removed(api: Api, tmp_path: Path) -> None:
    answer = await api.client.post(KEYS, json={"user": "admin", "description": "cron [job]"})
    made = data(answer)
    Reply[NewKey].model_validate_json(answer.text)
    assert answer.headers["cache-control"] == "no-store"
    signing = Signing(made["accessKey"], made["secretKey"], NOW)
    assert (await api.client.get(USERS, auth=signing)).status_code == 200
    (stored,) = await api.store.access_keys.all()
    assert Vault(tmp_path / "key").unseal(stored.sealed) == made["secretKey"]
    listed = await api.client.get(KEYS)
    Reply[KeyPage].model_validate_json(listed.text)
    (shown,) = data(listed)["contents"]
    assert shown == {name: made[name] for name in ("accessKey", "createTime", "description", "user")}
    path = f"{KEYS}/{made['accessKey']}"
    assert (await api.client.delete(path)).status_code == 200
    assert refused(await api.client.delete(path), 404).startswith(f"There is no access key {made['accessKey']}.")
    assert (await api.client.get(USERS, auth=signing)).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"user": "bob"}, 404, "There is no user bob."),
        ({}, 400, "user is missing."),
        ({"user": "admin", "description": "two\nlines"}, 400, "description: write one line"),
        ({"user": "admin", "description": "x" * 201}, 400, "description: write one line"),
    ],
)
async def test_a_key_that_cannot_be_made(api: Api, body: object, status: int, said: str) -> None:
    assert refused(await api.client.post(KEYS, json=body), status).startswith(said)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_administrators_may(api: Api, role: Role) -> None:
    auth = await api.user("ann", role)
    for method, path in (("GET", USERS), ("POST", USERS), ("GET", KEYS), ("DELETE", f"{USERS}/ann")):
        said = refused(await api.client.request(method, path, auth=auth), 403)
        assert said.endswith("Ask for the role ADMIN.")


async def test_the_document_says_that_they_are_ours_and_who_may(api: Api) -> None:
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    ours = [one for path, methods in paths.items() if path.startswith("/api/v2/iam/") for one in methods.values()]
    assert len(ours) == 8
    assert all("Beyond OCP" in one["description"] and "(roles ADMIN)" in one["description"] for one in ours)


async def test_the_hosts_of_a_task_are_listed_by_parallel_index(api: Api) -> None:
    await api.store.hosts.put([entry(7, "web-7"), entry(3), entry(5, "web-5")], 0)
    await api.stop([7, 3, 5])
    answer = await api.client.get("/api/v2/tasks/instances/1/hosts?page=2&size=2")
    Reply[TaskHostPage].model_validate_json(answer.text)
    assert data(answer) == {
        "contents": [{"alias": "web-5", "id": 5, "parallelIdx": 2}],
        "page": {"number": 2, "size": 2, "totalElements": 3, "totalPages": 2},
    }
    first = data(await api.client.get("/api/v2/tasks/instances/1/hosts"))["contents"]
    assert [(host["id"], host["alias"]) for host in first] == [(7, "web-7"), (3, None), (5, "web-5")]
    await api.client.post("/api/v2/compute/hosts/3/agent/stop")
    alone = data(await api.client.get("/api/v2/tasks/instances/2/hosts"))["contents"]
    assert alone == [{"alias": None, "id": 3, "parallelIdx": -1}]
    assert refused(await api.client.get("/api/v2/tasks/instances/9/hosts"), 404).startswith("There is no task 9.")
