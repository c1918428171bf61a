"""HEAD, OPTIONS, and methods that a path does not take."""

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from app.main import create_app
from infra.settings import ApiSettings
from tests.support.api import STOP, Api, RecordingDispatcher
from tests.support.fake_store import FakeStore

HOSTS = "/api/v2/compute/hosts"


async def ask(api: Api, method: str, path: str) -> httpx.Response:
    return await api.client.request(method, path, headers={"accept-encoding": "identity"})


@pytest.mark.parametrize("path", [HOSTS, f"{HOSTS}/2", "/api/v2/tasks/instances/1", "/healthz", f"{HOSTS}/77"])
async def test_head_is_get_without_the_body(api: Api, path: str) -> None:
    await api.stop([1001])
    head, get = await ask(api, "HEAD", path), await ask(api, "GET", path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    own = {"x-trace-id", "ratelimit-remaining", "ratelimit-reset", "content-length"}
    assert {name: value for name, value in head.headers.items() if name not in own} == {
        name: value for name, value in get.headers.items() if name not in own
    }


async def test_head_asks_for_credentials_too(api: Api) -> None:
    assert (await api.client.request("HEAD", HOSTS, auth=None)).status_code == 401


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (STOP, "OPTIONS, POST"),
        (HOSTS, "GET, HEAD, OPTIONS"),
        ("/api/v2/tasks/instances/1/events", "GET, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_and_405_say_what_a_path_takes(api: Api, path: str, allowed: str) -> None:
    options = await ask(api, "OPTIONS", path)
    assert (options.status_code, options.content, options.headers["allow"]) == (204, b"", allowed)
    refused = await ask(api, "PATCH", path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


async def test_a_path_that_is_written_out_is_not_a_parameter_of_another(api: Api) -> None:
    answer = await ask(api, "GET", STOP)
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert answer.json()["error"] == {
        "code": 0,
        "message": f"{STOP} does not take GET. /docs lists the methods that it takes.",
    }


async def test_options_of_what_is_not_there(api: Api) -> None:
    assert (await ask(api, "OPTIONS", "/nothing")).status_code == 400


def test_an_application_that_is_made_again_has_no_more_routes_than_the_first() -> None:
    made = [create_app(ApiSettings(server_address="10.9.8.7"), FakeStore(), RecordingDispatcher()) for _ in range(2)]
    first, second = (len(list(iter_route_contexts(app.routes))) for app in made)
    assert first == second
