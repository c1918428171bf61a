"""The OpenAPI document beyond what FastAPI reads off the routes: examples, the limits of this server, the language.

Examples are replies that the app gave: `app/openapi/examples` has a file for each route, named after its function, and
one for the errors that are the same everywhere. A test makes the requests again and compares.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from app.hosts.host_ids import HOST_ID_LIST, HOST_IDS
from app.http.language.choice import Language

Document = dict[str, Any]
SHARED: Final = "errors"
"""The file of the errors that look the same whatever was asked."""
_LANGUAGE: Final = "#/components/parameters/AcceptLanguage"
_ACCEPT_LANGUAGE: Final = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": f"in which language to say what is wrong: {' or '.join(Language)}",
    "example": Language.CHINESE,
}


def described(document: Document, max_hosts: int) -> Document:
    """Complete the OpenAPI document that FastAPI made.

    Args:
        document: the document, which is changed.
        max_hosts: most hosts of one request to this server.
    """
    components = document["components"]
    components["parameters"] = {"AcceptLanguage": _ACCEPT_LANGUAGE}
    components["examples"] = {
        f"error{status}": {"value": value} for status, value in sorted(examples(SHARED)["replies"].items())
    }
    for operation in _operations(document):
        own = examples(operation["operationId"])
        for parameter in operation.get("parameters", ()):
            _describe_parameter(parameter, own)
        operation.setdefault("parameters", []).append({"$ref": _LANGUAGE})
        _describe_body(operation, own, max_hosts)
        for status, response in operation["responses"].items():
            _add_example(response, status, own)
    return document


@cache
def examples(name: str) -> Mapping[str, Any]:
    """Return the examples of a route: `path`, `query`, `body` of a request, and `replies` by status."""
    file = files("app.openapi") / "examples" / f"{name}.json"
    return orjson.loads(file.read_bytes()) if file.is_file() else {"replies": {}}


def _operations(document: Document) -> Iterator[Document]:
    for methods in document["paths"].values():
        yield from methods.values()


def _describe_parameter(parameter: Document, own: Mapping[str, Any]) -> None:
    """Give a parameter its example, and leave out null: a parameter is there or it is not."""
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
    for name in (HOST_IDS, HOST_ID_LIST):
        host_ids = content["schema"].get("properties", {}).get(name)
        if host_ids is not None:
            host_ids["maxItems"] = max_hosts


def _add_example(response: Document, status: str, own: Mapping[str, Any]) -> None:
    for content in response.get("content", {}).values():
        if status in own["replies"]:
            content["example"] = own["replies"][status]
        elif status in examples(SHARED)["replies"]:
            content["examples"] = {"error": {"$ref": f"#/components/examples/error{status}"}}
