"""The examples of the OpenAPI document are what the API answers, and fit their own schemas."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from app.main import create_app
from app.openapi.document import SHARED, load_examples
from infra.settings import ApiSettings
from tests.support.api import RecordingDispatcher
from tests.support.examples import BINARY, FOLDER, ROUTES, file_of, shared
from tests.support.fake_store import FakeStore

DOCUMENT = create_app(ApiSettings(server_address="10.9.8.7"), FakeStore(), RecordingDispatcher()).openapi()
METHODS = ("get", "put", "post", "delete", "patch")
ADVICE = "Look at the difference, and if it is meant: make examples"


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in DOCUMENT["paths"].values():
        for method in METHODS:
            if method in path:
                yield path[method]["operationId"], path[method]


OPERATIONS = list(_operations())


def valid(schema: dict[str, Any], value: object) -> bool:
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    for error in validator.iter_errors(value):
        pytest.fail(f"{error.message} at {error.instance_path}")
    return True


def written(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ROUTES)
async def test_the_examples_of_a_route_are_real(name: str) -> None:
    found = json.loads(json.dumps(await file_of(name)))
    assert found == written(name), ADVICE
    assert json.dumps(found) == json.dumps(written(name)), f"the order of the members changed. {ADVICE}"


async def test_the_errors_that_are_the_same_everywhere_are_real() -> None:
    assert {"replies": await shared()} == written(SHARED), ADVICE


def test_every_route_has_examples_and_no_file_is_left_over() -> None:
    names = {name for name, _ in OPERATIONS}
    missing = names - ROUTES.keys()
    assert not missing, f"Add these to ROUTES in tests/support/examples.py, then run make examples: {sorted(missing)}"
    assert names == ROUTES.keys()
    assert {file.stem for file in FOLDER.glob("*.json")} == names | {SHARED}


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_reply_with_a_body_has_an_example_that_fits_its_schema(name: str, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            if status == "default" or (name, int(status)) in BINARY:
                continue
            given = content.get("example")
            if given is None:
                reference = content["examples"]["error"]["$ref"]
                assert reference == f"#/components/examples/error{status}", f"{name} {status} has no example"
                given = DOCUMENT["components"]["examples"][f"error{status}"]["value"]
            assert kind == "text/event-stream" or valid(content["schema"], given)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_part_of_a_request_is_described_and_has_a_fitting_example(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert set(operation["responses"]) >= ({"200", "401", "403"} if operation.get("security") else {"200"})
    for parameter in operation["parameters"]:
        if "$ref" in parameter:
            continue
        assert parameter["description"], f"{name}: {parameter['name']}"
        assert "null" not in json.dumps(parameter["schema"])
        if parameter["required"]:
            assert valid(parameter["schema"], parameter["example"])
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    assert body is None or valid(body["schema"], body["example"])
    assert ("body" in load_examples(name)) == (body is not None)


def test_a_route_that_asks_for_a_permission_names_it_and_both_ways_to_prove_who_one_is() -> None:
    for name, operation in OPERATIONS:
        asks = "x-required-permission" in operation
        assert asks == (name not in {"healthz", "readyz"})
        assert operation.get("security", []) == ([{"basic": []}, {"accessKey": []}] if asks else [])
        assert not asks or str(operation["x-required-permission"]) in operation["description"]


def test_the_document_says_how_many_hosts_this_server_takes() -> None:
    app = create_app(ApiSettings(server_address="10.9.8.7", max_hosts=7), FakeStore(), RecordingDispatcher())
    stop = app.openapi()["paths"]["/api/v2/compute/hosts/batchStopAgents"]["post"]
    assert stop["requestBody"]["content"]["application/json"]["schema"]["properties"]["hostIds"]["maxItems"] == 7
