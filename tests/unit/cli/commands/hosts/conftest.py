"""An API with three hosts, which remembers the changes that it is asked for."""

import httpx
import pytest

from cli.remote import client
from tests.support.cli import AGENT, HOST


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Replace the API by one with three hosts; return the changes that it is asked for."""
    changes: list[tuple[str, str, str]] = []
    hosts = [HOST, HOST | {"id": 2, "alias": "web-2"}, HOST | {"id": 3, "alias": "web-3", "holderTaskId": 17}]

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v2/compute/hosts")
        if request.method != "GET":
            changes.append((request.method, path, request.content.decode()))
        match request.method, path:
            case "POST", "/3/release":
                error = {"code": 20003, "message": "Task 17 works on it."}
                return httpx.Response(400, json={"traceId": "t1", "error": error})
            case ("POST", "/batchDelete") | ("DELETE", _):
                return httpx.Response(200, json={"traceId": "t1"})
            case "GET", "":
                data: object = {"contents": hosts}
            case "GET", "/1/agent":
                data = AGENT
            case _:
                data = HOST
        return httpx.Response(200, json={"traceId": "t1", "data": data})

    def open_http(address: object) -> httpx.AsyncClient:
        assert address
        return httpx.AsyncClient(base_url="http://fleet/api/v2", transport=httpx.MockTransport(answer))

    monkeypatch.setattr(client, "open_http", open_http)
    monkeypatch.setenv("OCPFLEET_API_USER", "admin")
    monkeypatch.setenv("OCPFLEET_API_PASSWORD", "admin-password")
    return changes
