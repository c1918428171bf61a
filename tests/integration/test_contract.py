"""The API keeps to its OpenAPI document: schemathesis tries all of it over HTTP, with all of its checks."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from app.auth.permission import RequiredPermission
from app.http.language import translation
from core.errors import StateInvalid
from core.user import Permission, User
from tests.support.contract import Contract, contract
from tests.support.property_tests import TIMES, scale_examples

QUICK = ("--phases", "examples,coverage", "--max-examples", str(scale_examples(5)))
WHOLE = ("--max-examples", str(scale_examples(25)))


def operations(found: Contract) -> set[str]:
    """Return every operation of the document."""
    return {one["operationId"] for path in found.app.openapi()["paths"].values() for one in path.values()}


@pytest.mark.longer
@pytest.mark.timeout(300 * TIMES)
async def test_everything_that_the_document_says_is_so(tmp_path: Path) -> None:
    async with contract(tmp_path) as found:
        code, printed = await found.tried(*WHOLE)
        assert code == 0, printed
        assert "Stateful" in printed
        assert found.done >= operations(found), "what was never done was not tried"


@pytest.mark.longer
@pytest.mark.timeout(300 * TIMES)
async def test_it_is_so_for_signed_requests(tmp_path: Path) -> None:
    async with contract(tmp_path) as found:
        code, printed = await found.tried(*QUICK, signed=True)
        assert code == 0, printed
        assert found.done >= operations(found)
        entries = (await found.app.state.context.store.audit.page(0, 2000)).items
        assert {entry.proof for entry in entries if entry.status == 200 and entry.access_key} == {"ACCESS_KEY"}


def open_to_all(app: FastAPI) -> None:
    """Let the list of hosts forget to ask who is there."""
    app.dependency_overrides[RequiredPermission(Permission.HOST_READ)] = lambda: User(0, "anybody", "", frozenset())


@pytest.mark.parametrize("signed", [False, True])
async def test_a_route_that_forgets_to_ask_who_is_there_would_be_found(tmp_path: Path, *, signed: bool) -> None:
    async with contract(tmp_path, open_to_all) as found:
        code, printed = await found.tried(*QUICK, "--include-operation-id", "page_hosts", signed=signed)
        assert code == 1
        assert "API accepts requests without authentication" in printed


async def test_a_reply_that_the_document_does_not_know_would_be_found(tmp_path: Path) -> None:
    def break_health(app: FastAPI) -> None:
        app.openapi()["components"]["schemas"]["Health"]["properties"]["status"] = {"type": "integer"}

    async with contract(tmp_path, break_health) as found:
        code, printed = await found.tried(*QUICK, "--include-operation-id", "healthz")
        assert code == 1
        assert "violates schema" in printed


async def test_an_error_in_the_wrong_language_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "load_catalogue", lambda _: {})
    async with contract(tmp_path) as found:
        code, printed = await found.tried(*QUICK, "--include-operation-id", "page_hosts")
        assert code == 1
        assert "not Chinese" in printed


async def test_a_valid_request_that_is_refused_for_another_reason_than_its_state_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StateInvalid, "code", 0)
    async with contract(tmp_path) as found:
        code, printed = await found.tried(*QUICK, "--include-operation-id", "retry_task")
        assert code == 1
        assert "a valid request was refused for another reason" in printed
