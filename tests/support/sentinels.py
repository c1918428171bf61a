"""A store that fails over: a primary, its replica and three Sentinels, all on loopback."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis import Redis

from demo.ports import reserve_port
from tests.support.valkey import PATIENCE, ValkeyServer
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "fleet"
"""What the Sentinels call the primary."""
_DOWN_AFTER = 1500
"""Milliseconds of silence after which a Sentinel calls a server down."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Two servers, one of them the primary, and the Sentinels that watch them."""

    first: ValkeyServer
    """The primary to begin with."""
    second: ValkeyServer
    """Its replica to begin with."""
    sentinels: tuple[ValkeyServer, ...]

    @property
    def url(self) -> str:
        """The address of the store, whichever server is the primary."""
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"sentinel://{places}/{NAME}"

    def wait_for_primary(self, server: ValkeyServer) -> None:
        """Wait until all Sentinels say that a server is the primary, and it says so too."""

        def named() -> bool:
            return all(self._named_by(sentinel) == server.port for sentinel in self.sentinels)

        wait_until(named, 60, f"every Sentinel to name port {server.port}")
        wait_until(lambda: replication(server)["role"] == "master", PATIENCE, f"port {server.port} to be a primary")

    @staticmethod
    def _named_by(sentinel: ValkeyServer) -> int:
        with Redis(port=sentinel.port, decode_responses=True) as client:
            return int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])


def replication(server: ValkeyServer) -> dict[str, Any]:
    """Return what a server says of its replication."""
    with Redis(port=server.port, decode_responses=True) as client:
        return dict(client.info("replication"))


def wait_for_replica(primary: ValkeyServer) -> None:
    """Wait until a replica of a primary is in step with it."""
    wait_until(lambda: "online" in str(replication(primary).get("slave0")), 60, "the replica to be in step")


@contextmanager
def watched(directory: Path) -> Iterator[Watched]:
    """Start a primary and a replica, each with its append-only file, and three Sentinels, two of which decide."""
    with ExitStack() as stack:
        quick = ["--repl-diskless-sync-delay", "0", "--repl-timeout", "10"]
        first = stack.enter_context(ValkeyServer(directory / "first", extra=quick))
        following = [*quick, "--replicaof", "127.0.0.1", str(first.port)]
        second = stack.enter_context(ValkeyServer(directory / "second", extra=following))
        wait_for_replica(first)
        sentinels = tuple(
            stack.enter_context(_sentinel(directory / f"sentinel-{number}", first.port)) for number in (1, 2, 3)
        )
        wait_until(lambda: all(map(_knows_everybody, sentinels)), PATIENCE, "the Sentinels to know each other")
        yield Watched(first, second, sentinels)


def _sentinel(directory: Path, primary: int) -> ValkeyServer:
    directory.mkdir(parents=True)
    port = reserve_port()
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"sentinel monitor {NAME} 127.0.0.1 {primary} 2",
        f"sentinel down-after-milliseconds {NAME} {_DOWN_AFTER}",
        f"sentinel failover-timeout {NAME} 10000",
    ]
    config = directory / "sentinel.conf"
    config.write_text("\n".join(lines) + "\n")
    return ValkeyServer(directory, port=port, config=config, extra=["--sentinel"])


def _knows_everybody(sentinel: ValkeyServer) -> bool:
    with Redis(port=sentinel.port, decode_responses=True) as client:
        said = client.execute_command("SENTINEL", "MASTER", NAME)
    known = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=True))
    return (int(known["num-slaves"]), int(known["num-other-sentinels"])) == (1, 2)
