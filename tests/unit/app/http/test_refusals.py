"""Requests that are refused: the whole body of each answer, and nothing stored or published."""

from typing import Any

import httpx
import pytest

from app.http.schemas import ErrorReply
from tests.support.api import STOP, Api, entry, running_api

EXAMPLE = '{"hostIds": [1001, 1002]}'
WHOLE = "An id is a whole number from 1 to 9223372036854775807."
PLAIN = "Write an id without quotes or fraction, such as 1001."


def assert_refused(answer: httpx.Response, status: int, error: dict[str, Any]) -> None:
    assert answer.status_code == status
    body = answer.json()
    assert body == {
        "duration": body["duration"],
        "error": error,
        "server": "10.9.8.7",
        "status": status,
        "successful": False,
        "timestamp": body["timestamp"],
        "traceId": answer.headers["x-trace-id"],
    }
    ErrorReply.model_validate_json(answer.content)


async def assert_nothing_made(api: Api) -> None:
    assert api.dispatcher.submitted == []
    for task_id in range(1, 5):
        assert await api.store.tasks.head(task_id) is None


async def send(api: Api, body: bytes | str, content_type: str | None = "application/json") -> httpx.Response:
    headers = {} if content_type is None else {"content-type": content_type}
    return await api.client.post(STOP, content=body, headers=headers)


CASES: dict[str, tuple[str, str, object, str]] = {
    "no body": (
        "",
        "body",
        "",
        f"The body is not JSON (line 1, column 1: Input is a zero-length, empty document). Send {EXAMPLE}.",
    ),
    "not JSON": (
        '{"hostIds": [1,]}',
        "body",
        '{"hostIds": [1,]}',
        f"The body is not JSON (line 1, column 15: trailing comma is not allowed). Send {EXAMPLE}.",
    ),
    "a list": ("[1]", "body", [1], f"The body is a list, not an object. Send {EXAMPLE}."),
    "null": ("null", "body", None, f"The body is null, not an object. Send {EXAMPLE}."),
    "missing": ("{}", "hostIds", None, f"hostIds is missing. Send the hosts' ids: {EXAMPLE}."),
    "is null": ('{"hostIds": null}', "hostIds", None, f"hostIds is null. Send the hosts' ids: {EXAMPLE}."),
    "a number": ('{"hostIds": 7}', "hostIds", 7, f"hostIds is a number, not a list. Send {EXAMPLE}."),
    "a string": ('{"hostIds": "1"}', "hostIds", "1", f"hostIds is a string, not a list. Send {EXAMPLE}."),
    "an object": ('{"hostIds": {"a": 1}}', "hostIds", {"a": 1}, f"hostIds is an object, not a list. Send {EXAMPLE}."),
    "empty": ('{"hostIds": []}', "hostIds", [], f"hostIds is empty. Name at least one host: {EXAMPLE}."),
    "a string in it": (
        '{"hostIds": [2, "2"]}',
        "hostIds[1]",
        "2",
        f'hostIds[1]: "2" is a string, not a whole number. {PLAIN}',
    ),
    "a fraction in it": (
        '{"hostIds": [2.5]}',
        "hostIds[0]",
        2.5,
        f"hostIds[0]: 2.5 is a fraction, not a whole number. {PLAIN}",
    ),
    "true in it": (
        '{"hostIds": [true]}',
        "hostIds[0]",
        True,
        f"hostIds[0]: true is a boolean, not a whole number. {PLAIN}",
    ),
    "null in it": ('{"hostIds": [null]}', "hostIds[0]", None, f"hostIds[0]: null is null, not a whole number. {PLAIN}"),
    "a list in it": (
        '{"hostIds": [[2]]}',
        "hostIds[0]",
        [2],
        f"hostIds[0]: […] is a list, not a whole number. {PLAIN}",
    ),
    "zero": ('{"hostIds": [0]}', "hostIds[0]", 0, f"hostIds[0]: 0 is not positive. {WHOLE}"),
    "negative": ('{"hostIds": [2, -7]}', "hostIds[1]", -7, f"hostIds[1]: -7 is not positive. {WHOLE}"),
    "2^63": (
        '{"hostIds": [9223372036854775808]}',
        "hostIds[0]",
        "9223372036854775808",
        f"hostIds[0]: 9223372036854775808 is beyond 64 bits. {WHOLE}",
    ),
    "2^64": (
        '{"hostIds": [2, 18446744073709551616]}',
        "hostIds[1]",
        "18446744073709551616",
        f"hostIds[1]: 18446744073709551616 is beyond 64 bits. {WHOLE}",
    ),
    "-2^64": (
        '{"hostIds": [-18446744073709551616]}',
        "hostIds[0]",
        "-18446744073709551616",
        f"hostIds[0]: -18446744073709551616 is not positive. {WHOLE}",
    ),
    "an unknown field": (
        '{"hostIds": [2], "force": true}',
        "force",
        True,
        f"force: there is no such field. Send only {EXAMPLE}.",
    ),
    "a misspelt field": (
        '{"hostids": [2]}',
        "hostids",
        [2],
        f"hostids: there is no such field. It is called hostIds. Send only {EXAMPLE}.",
    ),
    "too many": (
        '{"hostIds": [2, 2, 2, 2]}',
        "hostIds",
        4,
        "hostIds has 4 entries, more than the 3 allowed. Send several requests.",
    ),
}


@pytest.mark.parametrize(("body", "field", "value", "message"), CASES.values(), ids=CASES)
async def test_a_body_that_can_never_be_done(body: str, field: str, value: object, message: str) -> None:
    async with running_api(max_hosts=3) as api:
        await api.store.hosts.put([entry(2)], 0)
        fault = {"field": field, "message": message, "object": "body", "rejectedValue": value}
        assert_refused(await send(api, body), 400, {"code": 0, "message": message, "subErrors": [fault]})
        await assert_nothing_made(api)


@pytest.mark.parametrize("written", ["1001.0", "1.001e3", "10010e-1"])
async def test_a_number_is_whole_by_its_value_as_in_json_schema(api: Api, written: str) -> None:
    answer = await send(api, f'{{"hostIds": [{written}]}}')
    assert answer.json()["data"]["context"]["listMap"]["host_ids"] == ["1001"]


async def test_a_whole_number_with_a_fraction_keeps_every_digit() -> None:
    async with running_api() as api:
        await api.store.hosts.put([entry(2**63 - 1)], 0)
        answer = await send(api, f'{{"hostIds": [{2**63 - 1}.00]}}')
        assert answer.json()["data"]["context"]["listMap"]["host_ids"] == [str(2**63 - 1)]


@pytest.mark.parametrize("written", ["1e999999999", "1e-999999999", "1e-99999999999999999999", "0.1", "1e308"])
async def test_a_number_that_is_not_whole_or_far_too_large_costs_nothing(api: Api, written: str) -> None:
    assert (await send(api, f'{{"hostIds": [{written}]}}')).status_code == 400


async def test_a_body_that_is_no_text(api: Api) -> None:
    answer = await send(api, b"\xff\xfe")
    assert answer.status_code == 400
    assert answer.json()["error"]["subErrors"][0]["rejectedValue"] == "\ufffd\ufffd"


@pytest.mark.parametrize("digits", [300, 5000])
async def test_a_number_of_hundreds_of_digits(api: Api, digits: int) -> None:
    answer = await send(api, f'{{"hostIds": [{"9" * digits}]}}')
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["subErrors"][0]["field"] in {"hostIds[0]", "body"}
    assert len(answer.content) < 1500


@pytest.mark.parametrize("depth", [200, 900, 5000])
async def test_lists_within_lists(api: Api, depth: int) -> None:
    answer = await send(api, f'{{"hostIds": [{"[" * depth}1.5{"]" * depth}, 1.5]}}')
    assert answer.status_code == 400
    assert len(answer.content) < 1500
    await assert_nothing_made(api)


async def test_a_long_value_is_repeated_in_part(api: Api) -> None:
    answer = await send(api, f'{{"hostIds": "{"x" * 5000}"}}')
    assert answer.json()["error"]["subErrors"][0]["rejectedValue"] == '"' + "x" * 199 + "…"


@pytest.mark.parametrize(
    ("content_type", "named"),
    [
        (None, "a missing Content-Type"),
        ("text/plain", "Content-Type text/plain"),
        ("application/x-www-form-urlencoded", "Content-Type application/x-www-form-urlencoded"),
        ("application/jsonp", "Content-Type application/jsonp"),
    ],
)
async def test_a_body_that_does_not_say_that_it_is_json(api: Api, content_type: str | None, named: str) -> None:
    message = f"Cannot read {named}. Send JSON with Content-Type: application/json."
    answer = await send(api, '{"hostIds": [2]}', content_type)
    assert_refused(answer, 415, {"code": 0, "message": message})
    await assert_nothing_made(api)


async def test_a_charset_does_not_matter(api: Api) -> None:
    assert (await send(api, '{"hostIds": [2]}', "Application/JSON; charset=utf-8")).status_code == 200


async def test_a_body_that_is_too_long() -> None:
    async with running_api(max_hosts=2) as api:
        message = "The body is longer than 1120 bytes, more than any valid hostIds need. Send fewer hosts at a time."
        assert_refused(await send(api, " " * 1121), 413, {"code": 0, "message": message})
        await assert_nothing_made(api)


async def test_the_largest_body_is_not_too_long() -> None:
    async with running_api(max_hosts=1000) as api:
        ids = [2**63 - 1 - number for number in range(1000)]
        await api.store.hosts.put(map(entry, ids), 0)
        body = '{\n    "hostIds": [\n' + ",\n".join(f"{' ' * 20}{host_id}" for host_id in ids) + "\n    ]\n}"
        assert (await send(api, body)).status_code == 200


async def test_unknown_hosts_are_named(api: Api) -> None:
    message = (
        "hostIds: not in the inventory: 9, 8. List the hosts with GET /api/v2/compute/hosts, "
        "or import the missing ones with `ocpfleet hosts import FILE`."
    )
    assert_refused(await api.stop([9, 2, 8, 9]), 404, {"code": 10002, "message": message})
    await assert_nothing_made(api)


async def test_of_many_unknown_hosts_twenty_are_named(api: Api) -> None:
    answer = await api.stop(range(5000, 5030))
    assert answer.status_code == 404
    assert "5000, 5001, " in answer.json()["error"]["message"]
    assert "5018, 5019 and 10 more." in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "field", "value", "reason"),
    [
        ("tasks/instances/abc", "taskInstanceId", "abc", "not a whole number. Write decimal digits, such as 1001"),
        ("tasks/instances/1.0", "taskInstanceId", "1.0", "not a whole number. Write decimal digits, such as 1001"),
        ("tasks/instances/-1", "taskInstanceId", "-1", "not a whole number. Write decimal digits, such as 1001"),
        ("tasks/instances/0", "taskInstanceId", "0", "too small. Write a whole number of at least 1"),
        (
            "compute/hosts/9223372036854775808",
            "hostId",
            "9223372036854775808",
            "too large. Write a whole number of at most 9223372036854775807",
        ),
        ("compute/hosts?page=0", "page", "0", "too small. Write a whole number of at least 1"),
        ("compute/hosts?size=2001", "size", "2001", "too large. Write a whole number of at most 2000"),
        ("compute/hosts?size=", "size", "", "not a whole number. Write decimal digits, such as 1001"),
        (
            "tasks/instances/1/subtasks/x/log",
            "subtaskInstanceId",
            "x",
            "not a whole number. Write decimal digits, such as 1001",
        ),
    ],
)
async def test_a_parameter_of_the_wrong_kind(api: Api, path: str, field: str, value: str, reason: str) -> None:
    message = f"{field}: {value} is {reason}."
    fault = {"field": field, "message": message, "object": "parameter", "rejectedValue": value}
    answer = await api.client.get(f"/api/v2/{path}")
    assert_refused(answer, 400, {"code": 0, "message": message, "subErrors": [fault]})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("hostName", "x", "this list has no such parameter. It has status, keyword, includedServiceType, "),
        (
            "status",
            "ONLINE,online",
            "'online' is not a valid value. Write NEW, AVAILABLE, ONLINE, OFFLINE, DELETING, several with ",
        ),
        ("includedServiceType", "", "'' is not a valid value. Write OB_CLUSTER, OB_PROXY, OCP_AGENT, "),
        ("excludedServiceType", "AGENT", "'AGENT' is not a valid value. Write OB_CLUSTER, "),
        ("sort", "alias", "lists are sorted by id. Write id,asc or id,desc."),
    ],
)
async def test_a_filter_that_means_nothing(api: Api, name: str, value: str, reason: str) -> None:
    answer = await api.client.get("/api/v2/compute/hosts", params={name: value})
    assert answer.status_code == 400
    fault = answer.json()["error"]["subErrors"][0]
    assert (fault["field"], fault["rejectedValue"]) == (name, value)
    assert fault["message"].startswith(f"{name}: {reason}")


async def test_an_order_that_does_not_exist(api: Api) -> None:
    assert (await api.client.get("/api/v2/compute/hosts?sort=id,asc")).status_code == 200
    assert (await api.client.get("/api/v2/compute/hosts?sort=alias,desc")).status_code == 400


async def test_an_unknown_route_is_a_bad_request_as_in_ocp(api: Api) -> None:
    for method, path in (("GET", "/api/v2/nothing"), ("GET", "/healthz/"), ("POST", "/")):
        message = f"There is no {method} {path}. /docs lists the routes."
        assert_refused(await api.client.request(method, path), 400, {"code": 0, "message": message})


async def test_a_wrong_method(api: Api) -> None:
    answer = await api.client.request("PUT", STOP)
    assert_refused(
        answer, 405, {"code": 0, "message": f"{STOP} does not take PUT. /docs lists the methods that it takes."}
    )
    assert answer.headers["allow"] == "OPTIONS, POST"


async def test_unknown_tasks_subtasks_and_hosts(api: Api) -> None:
    task = (await api.stop([2])).json()["data"]
    for path, code in (
        ("tasks/instances/77", 20000),
        ("tasks/instances/77/subtasks/1/log", 20000),
        (f"tasks/instances/{task['id']}/subtasks/{task['subtasks'][0]['id'] + 5}/log", 20000),
        ("compute/hosts/77", 10002),
    ):
        answer = await api.client.get(f"/api/v2/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)
