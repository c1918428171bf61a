"""Requests go to whatever API takes connections, and none is sent twice."""

from __future__ import annotations

import httpx
import pytest

from tests.chaos.balancer import Balancer


class Servers:
    """Two servers of which some are down, and some go away with what they got."""

    def __init__(self) -> None:
        self.down: set[int] = set()
        self.breaking: set[int] = set()
        self.asked: list[int] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        port = request.url.port
        assert port is not None
        if port in self.down:
            raise httpx.ConnectError("Connection refused", request=request)
        self.asked.append(port)
        if port in self.breaking:
            raise httpx.RemoteProtocolError("it went away", request=request)
        return httpx.Response(200)

    def client(self) -> httpx.Client:
        transport = Balancer(["http://127.0.0.1:81", "http://127.0.0.1:82"], httpx.MockTransport(self.answer))
        return httpx.Client(transport=transport, base_url="http://api")


def test_if_a_server_is_down_the_next_one_is_used_from_then_on() -> None:
    servers = Servers()
    client = servers.client()
    client.post("/a")
    servers.down = {81}
    client.post("/b")
    servers.down = set()
    client.post("/c")
    assert servers.asked == [81, 82, 82]


def test_a_request_that_was_sent_is_not_sent_again() -> None:
    servers = Servers()
    servers.breaking = {81}
    with pytest.raises(httpx.RemoteProtocolError):
        servers.client().post("/a")
    assert servers.asked == [81]


def test_if_all_servers_are_down_the_client_gets_the_error() -> None:
    servers = Servers()
    servers.down = {81, 82}
    with pytest.raises(httpx.ConnectError):
        servers.client().post("/a")
