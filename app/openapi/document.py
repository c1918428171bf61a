"""Completes the OpenAPI document that FastAPI reads off the routes: examples, limits of this server, the language.

Examples are replies that the API gave. `app/openapi/examples` has a file for each route, named after its function, and
one for the errors that all routes share. A test makes the requests again and compares.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from app.http.language.choice import Language

Document = dict[str, Any]
SHARED: Final = "errors"
"""The file of the errors that all routes share."""
LIMITED_BY_MAX_HOSTS: Final = "x-limited-by-max-hosts"
"""Marks the schema of a list that has at most as many items as a request to this server may name hosts."""
_LANGUAGE: Final = "#/components/parameters/AcceptLanguage"
_ACCEPT_LANGUAGE: Final = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": f"the language of error messages: {' or '.join(Language)}",
    "example": Language.CHINESE,
}


def complete_document(document: Document, max_hosts: int) -> Document:
    """Complete the OpenAPI document that FastAPI made.

    Args:
        document: the document. It is changed.
        max_hosts: how many hosts a request to this server may name.
    """
    components = document["components"]
    components["parameters"] = {"AcceptLanguage": _ACCEPT_LANGUAGE}
    components["examples"] = {
        f"error{status}": {"value": value} for status, value in sorted(load_examples(SHARED)["replies"].items())
    }
    for operation in _list_operations(document):
        own = load_examples(operation["operationId"])
        for parameter in operation.get("parameters", ()):
            _describe_parameter(parameter, own)
        operation.setdefault("parameters", []).append({"$ref": _LANGUAGE})
        _describe_body(operation, own, max_hosts)
        for status, response in operation["responses"].items():
            _add_example(response, status, own)
    return document


@cache
def load_examples(name: str) -> Mapping[str, Any]:
    """Return the examples of a route: `path`, `query` and `body` of a request, and `replies` by status."""
    file = files("app.openapi") / "examples" / f"{name}.json"
    return orjson.loads(file.read_bytes()) if file.is_file() else {"replies": {}}


def _list_operations(document: Document) -> Iterator[Document]:
    for methods in document["paths"].values():
        yield from methods.values()


def _describe_parameter(parameter: Document, own: Mapping[str, Any]) -> None:
    """Give a parameter its example. Leave out null, since a parameter is either there or not."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.pop("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema |= choices[0]
    elif choices:
        schema["anyOf"] = choices
    example = own.get(parameter["in"], {}).get(parameter["name"])
    if example is not None:
        parameter["example"] = example


def _describe_body(operation: Document, own: Mapping[str, Any], max_hosts: int) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    if "body" in own:
        content["example"] = own["body"]
    for field in content["schema"].get("properties", {}).values():
        if field.pop(LIMITED_BY_MAX_HOSTS, False):
            field["maxItems"] = max_hosts


def _add_example(response: Document, status: str, own: Mapping[str, Any]) -> None:
    for content in response.get("content", {}).values():
        if status in own["replies"]:
            content["example"] = own["replies"][status]
        elif status in load_examples(SHARED)["replies"]:
            content["examples"] = {"error": {"$ref": f"#/components/examples/error{status}"}}
