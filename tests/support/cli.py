"""Help for tests of the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

from cli.remote import client

if TYPE_CHECKING:
    import pytest

    from core.record import TaskRecord
    from infra.store import Store

Command = Callable[..., tuple[int, str, str]]
"""Runs `ocpfleet` with words; returns its exit status, its output and its error output."""

HOST = {
    "agentHome": "/home/admin/ocp_agent",
    "alias": "web-1",
    "createTime": "2026-01-01T00:00:00+00:00",
    "holderTaskId": None,
    "hostAgentStatus": "AVAILABLE",
    "hostAgentVersion": None,
    "hostKeyFingerprint": None,
    "id": 1,
    "innerIpAddress": "fd00::1",
    "sshPort": 22,
    "sshUser": "admin",
    "status": "ONLINE",
    "sudo": True,
    "updateTime": "2026-01-01T00:00:00+00:00",
}
PROCESSES = [
    {"alias": "ocp_agentd", "pid": 42, "status": "STARTED", "user": "admin", "ports": None, "elapsedTime": 7},
    {"alias": "ocp_mgragent", "pid": 0, "status": "STOPPED", "user": None, "ports": None, "elapsedTime": 0},
]
AGENT = {"status": "AVAILABLE", "version": "4.3.1", "installHome": "/home/admin/ocp_agent", "processes": PROCESSES}
"""A host and its agent, as the API shows them."""


def read_head(store: Store) -> TaskRecord:
    """Return the first task of a store."""
    found = asyncio.run(store.tasks.head(1))
    assert found is not None
    return found


class FakeApi:
    """Replaces the API for the commands: remembers its requests, and gives one answer to all of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: int = 200, **document: object) -> None:
        self.asked: list[tuple[str, str]] = []
        reply = httpx.Response(status, json={"traceId": "t1"} | document)

        def answer(request: httpx.Request) -> httpx.Response:
            self.asked.append((request.method, request.url.path))
            return reply

        def open_http(address: object) -> httpx.AsyncClient:
            assert address
            return httpx.AsyncClient(base_url="http://fleet/api/v2", transport=httpx.MockTransport(answer))

        monkeypatch.setattr(client, "open_http", open_http)
