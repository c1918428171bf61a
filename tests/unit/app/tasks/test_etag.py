"""Clients that poll: what they have already is not sent again, and what is sent is small."""

import gzip

import httpx

from core.claim import Worker
from infra.store.task_values import ClaimRequest
from tests.support.api import NOW, Api

WORKER = Worker(1, "w")


async def get(api: Api, task_id: int, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.get(f"/api/v2/tasks/instances/{task_id}", headers={"accept-encoding": "identity"} | named)


async def test_a_task_that_did_not_change_is_not_sent_again(api: Api) -> None:
    task_id = (await api.stop([1001, 1002])).json()["data"]["id"]
    first = await get(api, task_id)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["cache-control"] == "private, no-cache"
    for given in (tag, f'"other", {tag}', "*", f"W/{tag}"):
        again = await get(api, task_id, if_none_match=given)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["x-trace-id"]
    assert (await get(api, task_id, if_none_match='"other"')).status_code == 200


async def test_an_error_is_never_kept_nor_taken_for_what_a_client_has(api: Api) -> None:
    refused = await get(api, 7, if_none_match="*", accept_language="zh-CN")
    assert (refused.status_code, refused.headers["cache-control"]) == (404, "no-store")
    assert "etag" not in refused.headers
    task_id = (await api.stop([1001])).json()["data"]["id"]
    tags = {(await get(api, task_id, accept_language=language)).headers["etag"] for language in ("en", "zh")}
    assert len(tags) == 1, "what was done is the same in every language"


async def test_every_change_makes_another_tag(api: Api) -> None:
    task_id = (await api.stop([1001, 1002])).json()["data"]["id"]
    task = await api.store.tasks.head(task_id)
    assert task is not None
    tags = [(await get(api, task_id)).headers["etag"]]
    for _ in range(2):
        await api.store.tasks.advance(task, task.plan.steps[0], WORKER, NOW, claim=ClaimRequest(1))
        changed = await get(api, task_id, if_none_match=tags[-1])
        assert changed.status_code == 200
        tags.append(changed.headers["etag"])
    await api.store.tasks.advance(task, task.plan.steps[0], WORKER, NOW, claim=ClaimRequest(1))
    assert (await get(api, task_id, if_none_match=tags[-1])).status_code == 304, "there was nothing left to claim"
    assert len(set(tags)) == 3
    other = (await api.stop([2])).json()["data"]["id"]
    assert (await get(api, other, if_none_match=tags[0])).status_code == 200


async def test_a_client_that_takes_gzip_gets_it(api: Api) -> None:
    task_id = (await api.stop([1001, 1002])).json()["data"]["id"]
    plain, packed = await get(api, task_id), await get(api, task_id, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers.get_list("vary") == ["Accept-Encoding"]
    assert packed.headers["x-trace-id"] == packed.json()["traceId"]
    assert packed.json()["data"] == plain.json()["data"]
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.headers["etag"] != plain.headers["etag"], "a strong tag names one form of the reply"
    for tag in (plain.headers["etag"], packed.headers["etag"]):
        assert (await get(api, task_id, accept_encoding="gzip", if_none_match=tag)).status_code == 304
    small = await api.client.get("/healthz", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers
    refused = await api.client.get("/nothing", headers={"accept-encoding": "gzip"})
    assert refused.json()["traceId"] == refused.headers["x-trace-id"]


async def test_what_was_accepted_is_sent_in_gzip_too(api: Api) -> None:
    async with api.client.stream(
        "POST",
        "/api/v2/compute/hosts/batchStopAgents",
        json={"hostIds": [1001]},
        headers={"accept-encoding": "gzip"},
    ) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert b'"successful":true' in gzip.decompress(raw)
