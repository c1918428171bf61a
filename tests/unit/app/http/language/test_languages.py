"""Errors in the language that the client asks for; everything else is the same in all of them."""

import gzip
from typing import Any

import httpx
import pytest

from app.http.language.choice import Language, choose_language
from core.user import Role
from tests.support.api import NO_BROKER, STOP, Api, running_api

PREFERRED = {
    "": "en-US",
    "zh-CN": "zh-CN",
    "zh": "zh-CN",
    "ZH-cn": "zh-CN",
    "zh-Hans-CN": "zh-CN",
    "zh-TW": "zh-CN",
    "en": "en-US",
    "en-GB, zh;q=0.9": "en-US",
    "en;q=0.8, zh;q=0.9": "zh-CN",
    "zh-CN,zh;q=0.9,en;q=0.8": "zh-CN",
    "zh;q=0.1, zh-CN;q=1, en;q=0.5": "zh-CN",
    "zh, en": "zh-CN",
    "en, zh": "en-US",
    "fr": "en-US",
    "fr, zh;q=0.1": "zh-CN",
    "fr, *;q=0.1": "en-US",
    "*": "en-US",
    "en;q=0, *": "zh-CN",
    "*, en;q=0.1": "zh-CN",
    "zh;q=0": "en-US",
    "en;q=0, zh;q=0": "en-US",
    "zh;q=0.000, en;q=0.001": "en-US",
    " zh-CN ; q=0.5 , en ;q=0.4": "zh-CN",
    "zh;Q=0.5": "zh-CN",
    "zhuang": "en-US",
    "zh_CN": "en-US",
    "zh;q=2": "en-US",
    "zh;q=0.1234": "en-US",
    "zh;q=x, en;q=0.1": "en-US",
    ";;;,,,q=1": "en-US",
    ",".join(["fr"] * 10_000): "en-US",
}


@pytest.mark.parametrize(("header", "language"), PREFERRED.items(), ids=[header[:40] for header in PREFERRED])
def test_the_preferred_language(header: str, language: str) -> None:
    assert choose_language(header) == language


async def get(api: Api, path: str, language: str | None = "zh-CN", **options: Any) -> httpx.Response:
    headers = {} if language is None else {"accept-language": language}
    return await api.client.get(path, headers=headers, **options)


async def test_an_error_in_chinese_is_the_same_error(api: Api) -> None:
    path = "/api/v2/tasks/instances/7"
    english, chinese = await get(api, path, None), await get(api, path)
    assert english.json()["error"] == {
        "code": 20000,
        "message": "There is no task 7. It was never accepted, was withdrawn, or has expired.",
    }
    assert chinese.status_code == english.status_code == 404
    assert chinese.json()["error"] == {"code": 20000, "message": "任务 7 不存在：从未被受理、已被撤回或已过期。"}
    assert list(chinese.json()) == list(english.json())
    for answer, language in ((english, "en-US"), (chinese, "zh-CN")):
        assert answer.headers["content-language"] == language
        assert answer.headers["vary"] == "Accept-Language"
        assert answer.headers["cache-control"] == "no-store"


async def test_each_field_at_fault_in_chinese(api: Api) -> None:
    answer = await api.client.post(STOP, json={"hostIds": [2, "x"]}, headers={"accept-language": "zh"})
    message = 'hostIds[1]："x" 是字符串，不是整数。ID 请不带引号和小数，例如 1001。'
    fault = {"field": "hostIds[1]", "message": message, "object": "body", "rejectedValue": "x"}
    assert answer.json()["error"] == {"code": 0, "message": message, "subErrors": [fault]}


async def test_each_parameter_at_fault_in_chinese(api: Api) -> None:
    answer = await get(api, "/api/v2/tasks/instances?page=0&size=x&hostId=9999999999999999999")
    messages = [
        "hostId：9999999999999999999 过大。请填写不大于 9223372036854775807 的整数。",
        "page：0 过小。请填写不小于 1 的整数。",
        "size：x 不是整数。请填写十进制数字，例如 1001。",
    ]
    assert answer.json()["error"]["message"] == messages[0]
    assert [fault["message"] for fault in answer.json()["error"]["subErrors"]] == messages


UNKNOWN = (
    f"hostIds：以下主机不在主机清单中：{', '.join(map(str, range(5000, 5020)))} 等，另有 2 台。"
    "可用 GET /api/v2/compute/hosts 列出主机，或用 `ocpfleet hosts import FILE` 导入缺少的主机。"
)
CASES: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "no such path": ("GET", "/nothing", {}, 400, "没有 GET /nothing 这个接口。可用的接口请参见 /docs。"),
    "another method": ("PUT", STOP, {}, 405, f"{STOP} 不支持 PUT。支持的方法请参见 /docs。"),
    "no credentials": (
        "GET",
        "/api/v2/compute/hosts",
        {"auth": None},
        401,
        "请求未经认证。请通过 HTTP Basic 认证提供用户名和密码，或使用访问密钥对请求签名。",
    ),
    "a wrong password": ("GET", "/api/v2/compute/hosts", {"auth": ("admin", "no")}, 401, "用户名或密码错误。"),
    "no JSON": (
        "POST",
        STOP,
        {"content": b"{}", "headers": {"content-type": "text/plain"}},
        415,
        "不支持 Content-Type text/plain。请以 Content-Type: application/json 发送 JSON。",
    ),
    "unknown hosts": (
        "POST",
        STOP,
        {"json": {"hostIds": list(range(5000, 5022))}},
        404,
        UNKNOWN,
    ),
}


@pytest.mark.parametrize(("method", "path", "options", "status", "message"), CASES.values(), ids=CASES)
async def test_errors_of_every_kind_in_chinese(  # noqa: PLR0917 - a case
    api: Api, method: str, path: str, options: dict[str, Any], status: int, message: str
) -> None:
    headers = {"accept-language": "zh-CN"} | options.pop("headers", {})
    answer = await api.client.request(method, path, headers=headers, **options)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, message)
    assert answer.headers["content-language"] == "zh-CN"


async def test_one_role_is_asked_for_in_chinese(api: Api) -> None:
    who = await api.user("somebody", Role.HOST_MANAGER)
    answer = await get(api, "/api/v2/audit", auth=who)
    assert answer.json()["error"]["message"] == "用户 somebody 没有权限 AUDIT:*:READ。请申请角色 ADMIN。"


async def test_an_error_within_an_error_in_chinese() -> None:
    async with running_api() as api:
        api.dispatcher.fault = NO_BROKER
        answer = await get(api, "/readyz", auth=None)
        error = "未就绪：broker：没有响应；workers：没有存活的进程，请用 `ocpfleet worker` 启动。"
        assert answer.json()["error"]["message"] == error
        assert answer.json()["data"]["broker"] == "does not answer", "data is the same in every language"


async def test_what_is_kept_of_a_refusal_is_english(api: Api) -> None:
    await get(api, "/api/v2/compute/hosts", auth=("admin", "no"))
    entry = (await get(api, "/api/v2/audit")).json()["data"]["contents"][0]
    assert entry["message"] == "The user name or the password is wrong."


async def test_what_was_done_is_the_same_in_every_language(api: Api) -> None:
    answer = await api.client.post(STOP, json={"hostIds": [2]}, headers={"accept-language": "zh-CN"})
    assert answer.json()["data"]["name"] == "Batch stop OCP agent"
    assert "content-language" not in answer.headers


async def test_a_long_error_is_compressed_and_says_both_that_it_depends_on(api: Api) -> None:
    path = "/api/v2/tasks/instances?page={0}&size={0}&hostId={0}".format("x" * 200)
    headers = {"accept-language": "zh-CN", "accept-encoding": "gzip"}
    async with api.client.stream("GET", path, headers=headers) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Language, Accept-Encoding"
    assert "不是整数" in gzip.decompress(raw).decode()


def test_languages_are_called_as_ocp_calls_them() -> None:
    assert [*Language] == ["en-US", "zh-CN"]
