"""The real sshd of the tests: comes up, lets the right ones in, and goes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import asyncssh
import pytest

from demo.keys import make_key_pair
from demo.openssh import OpenSshServer
from demo.supervisor import ChildFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.keys import KeyPair

ADDRESSES = ("127.0.0.1", "127.30.0.2", "127.30.0.3")


@pytest.fixture
def client_key(tmp_path: Path) -> KeyPair:
    return make_key_pair(tmp_path / "client")


@pytest.fixture
def server(tmp_path: Path, client_key: KeyPair) -> Iterator[OpenSshServer]:
    with OpenSshServer(tmp_path / "sshd", [client_key.line], ADDRESSES) as server:
        yield server


async def connect(server: OpenSshServer, key: KeyPair, address: str, pinned: str) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        address,
        server.port,
        username=server.user,
        client_keys=[str(key.private)],
        known_hosts=([asyncssh.import_public_key(pinned)], [], []),
        config=None,
        agent_path=None,
    )


@pytest.mark.parametrize("address", ADDRESSES)
async def test_runs_a_command_on_each_of_its_addresses(
    server: OpenSshServer, client_key: KeyPair, address: str
) -> None:
    async with await connect(server, client_key, address, server.host_key) as connection:
        answer = await connection.run("echo out; echo err >&2; exit 3")

    assert (answer.stdout, answer.stderr, answer.exit_status) == ("out\n", "err\n", 3)


async def test_a_host_key_other_than_the_pinned_one_is_not_trusted(
    server: OpenSshServer, client_key: KeyPair, tmp_path: Path
) -> None:
    other = make_key_pair(tmp_path / "other").line

    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await connect(server, client_key, "127.0.0.1", other)


async def test_an_unknown_client_key_is_refused(server: OpenSshServer, tmp_path: Path) -> None:
    stranger = make_key_pair(tmp_path / "stranger")

    with pytest.raises(asyncssh.PermissionDenied):
        await connect(server, stranger, "127.0.0.1", server.host_key)


def test_nothing_listens_after_the_end(tmp_path: Path) -> None:
    with OpenSshServer(tmp_path / "sshd", []) as server:
        port = server.port

    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_a_configuration_that_sshd_refuses_is_told_with_its_own_words(tmp_path: Path) -> None:
    with (
        pytest.raises(ChildFailedError, match="ended at once") as caught,
        OpenSshServer(tmp_path / "sshd", [], config=["NoSuchOption yes"]),
    ):
        pass

    assert "NoSuchOption" in caught.value.__notes__[0]


def test_more_addresses_than_one_sshd_takes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 to 16 addresses"):
        OpenSshServer(tmp_path / "sshd", [], [f"127.30.1.{last}" for last in range(1, 18)])
