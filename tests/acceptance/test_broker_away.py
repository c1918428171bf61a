"""The broker is away and the store is not: the request is refused, and nothing of it is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from demo.ports import free_port
from demo.supervisor import Supervisor
from infra import embedded
from tests.support.system import running, stub_target
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.supervisor import Child
    from tests.support.system import System

BOUND = 20
"""Seconds within which a refusal must come, whatever the machine is doing."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[Child, str]]:
    port = free_port()
    with Supervisor(tmp_path / "broker-logs") as supervisor:
        yield supervisor.start("broker", embedded.prepare(tmp_path / "broker", port), {}), embedded.url(port)


@pytest.fixture
def system(tmp_path: Path, broker: tuple[Child, str]) -> Iterator[System]:
    settings = {"OCPFLEET_EXECUTOR": "stub", "OCPFLEET_BROKER_URL": broker[1], "OCPFLEET_REDIS_TIMEOUT": "2"}
    with running(tmp_path / "system", workers=1, **settings) as system:
        yield system


async def test_a_request_is_refused_and_works_once_the_broker_is_back(
    system: System, broker: tuple[Child, str]
) -> None:
    await system.add_hosts([stub_target(1), stub_target(2)])
    before = system.ended(system.stop([1])["id"])
    process = broker[0].process
    assert process is not None
    process.kill()
    process.wait()

    began = time.monotonic()
    refused = system.submit([1, 2])
    assert time.monotonic() - began < BOUND
    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert refused.headers["Retry-After"] == "5"
    assert refused.json()["error"]["message"].startswith("The broker does not take messages")
    assert refused.json()["error"]["message"].endswith("No task was made.")
    assert system.client.get(f"/tasks/instances/{before['id'] + 1}").status_code == httpx.codes.NOT_FOUND
    async with system.store() as store:
        assert {host.holder for host in (await store.hosts.get([1, 2])).values()} == {None}
    ready = system.get("/readyz")
    assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ready.json()["data"]["broker"] == "does not answer"

    broker[0].start()
    replies: list[httpx.Response] = []
    wait_until(lambda: _accepted(system, replies), 30, "requests to be accepted again")
    assert system.ended(replies[-1].json()["data"]["id"])["status"] == "SUCCESSFUL"
    assert system.task(before["id"]) == before


def _accepted(system: System, replies: list[httpx.Response]) -> bool:
    replies.append(system.submit([1, 2]))
    return replies[-1].is_success
