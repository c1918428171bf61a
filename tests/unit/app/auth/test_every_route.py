"""Every route has a rule, and every role meets it. A new route without one fails here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from app.auth.permission import RequiredPermission
from app.main import create_app
from core.user import Permission, Role, User
from infra.settings import ApiSettings
from tests.support.api import NOW, Api, RecordingDispatcher, running_api
from tests.support.fake_store import FakeStore
from tests.support.signing import access_key

OPEN = {"/healthz", "/readyz"}
"""For machines, without credentials."""
DOCUMENTS = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/static-offline-docs"}
"""What FastAPI adds: the description of the API, which is no secret."""

ONLY_LOOKING = ("/downloadDiagnosis",)
"""What OCP has as POST although it changes nothing."""


def routes(app: FastAPI) -> list[RouteContext]:
    """Return every route, those of included routers too."""
    return list(iter_route_contexts(app.routes))


def is_open(route: RouteContext) -> bool:
    return route.path in OPEN | DOCUMENTS


def rules(dependant: Dependant) -> Iterator[Permission]:
    if isinstance(dependant.call, RequiredPermission):
        yield dependant.call.permission
    for inner in dependant.dependencies:
        yield from rules(inner)


def requests(app: FastAPI) -> list[tuple[str, str, Permission]]:
    """Return method, path with its parameters filled in, and permission of every route that has a rule."""
    found = []
    for route in routes(app):
        if not is_open(route):
            (permission,) = rules(route.dependant)
            path = re.sub(r"\{[^}]*\}", "1", route.path or "")
            found += [(method, path, permission) for method in sorted(route.methods or ())]
    return found


def an_app() -> FastAPI:
    return create_app(ApiSettings(server_address="10.9.8.7"), FakeStore(), RecordingDispatcher())


def test_every_route_has_one_rule_or_is_open_on_purpose() -> None:
    app = an_app()
    assert {route.path for route in routes(app)} >= OPEN | {"/api/v2/audit", "/compute/hosts/batchStopAgents"}
    for route in routes(app):
        permissions = list(rules(route.dependant)) if isinstance(route.original_route, APIRoute) else []
        if is_open(route):
            assert permissions == []
            continue
        assert len(permissions) == 1, f"{route.path} needs one rule: a parameter such as HostReader, made by require(…)"
        if route.include_in_schema:
            documented = (route.openapi_extra or {}).get("x-required-permission")
            assert documented == permissions[0], f"{route.path} documents another permission than it asks for"


def test_a_route_without_a_rule_would_be_found() -> None:
    app = an_app()
    app.add_api_route("/api/v2/new", lambda: None)
    (new,) = [route for route in routes(app) if route.path == "/api/v2/new"]
    assert not is_open(new)
    assert list(rules(new.dependant)) == []


def test_what_changes_something_asks_for_more_than_to_read() -> None:
    for method, path, permission in requests(an_app()):
        looks = method in {"GET", "HEAD"} or path.endswith(ONLY_LOOKING)
        assert permission.endswith(":READ") == looks, f"{method} {path} asks for {permission}"


async def answer(api: Api, method: str, path: str, auth: Any) -> httpx.Response:
    return await api.client.request(method, path, auth=auth)


@pytest.mark.parametrize("role", [*Role, None])
async def test_every_role_at_every_route(role: Role | None, tmp_path: Path) -> None:
    async with running_api(key_file=tmp_path / "key") as api:
        roles = [role] if role else []
        auth = await api.user("somebody", *roles)
        user = User(0, "somebody", "", frozenset(roles))
        signing = await access_key(api.store, tmp_path / "key", "somebody", NOW)
        for method, path, permission in requests(api.app):
            for credentials in (auth, signing):
                reply = await answer(api, method, path, credentials)
                if user.may(permission):
                    assert reply.status_code not in {401, 403}, f"{method} {path}: {reply.text}"
                else:
                    assert reply.status_code == 403, f"{method} {path}: {reply.text}"
                    assert method == "HEAD" or reply.json()["error"]["code"] == 30014


async def test_nobody_at_every_route() -> None:
    async with running_api() as api:
        for method, path, _ in requests(api.app):
            assert (await answer(api, method, path, None)).status_code == 401, f"{method} {path}"
        for path in OPEN:
            assert (await answer(api, "GET", path, None)).status_code in {200, 503}
