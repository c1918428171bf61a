"""The SSH connector against servers that behave, that do not, and that hang wherever one can."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest
from typing_extensions import override

from core.command import Command
from core.host import Target
from core.journal import OUTPUT_LIMIT
from core.outcome.agentctl import UnexpectedAnswer
from core.outcome.base import Outcome, TimedOut
from core.outcome.reach import AuthenticationFailed, HostKeyMismatch, HostKeyNotPinned, HostKeyUnreadable, Unreachable
from demo.keys import KeyPair, make_key_pair
from tests.support.waiting import eventually, wait_until
from workers.executor.base import CommandNotSentError, HostConnectionError
from workers.executor.ssh.executor import SshExecutor
from workers.executor.ssh.fetch import fetch_host_key
from workers.executor.ssh.host_keys import fingerprint_key
from workers.executor.ssh.options import SshOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path


@dataclass
class Server:
    """An SSH server in this process, and what it noticed."""

    authorized: asyncssh.SSHKey
    host_key: asyncssh.SSHKey
    freeze: str = ""
    port: int = 0
    seen: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    @property
    def line(self) -> str:
        return " ".join(self.host_key.export_public_key().decode().split()[:2])


class Door(asyncssh.SSHServer):
    """One connection to a server; freezes at the phase that the server says."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @override
    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.server.connections.append(conn)

    @override
    async def begin_auth(self, username: str) -> bool:
        self.server.seen.append(f"auth {username}")
        await self._freeze("auth")
        return True

    @override
    def public_key_auth_supported(self) -> bool:
        return True

    @override
    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self.server.seen.append("key")
        await self._freeze("key")
        return key == self.server.authorized

    async def _freeze(self, phase: str) -> None:
        if self.server.freeze == phase:
            await asyncio.Event().wait()


class OpenDoor(Door):
    """Freezes, or refuses, when a channel is opened."""

    @override
    def session_requested(self) -> Awaitable[asyncssh.SSHServerSession[bytes]] | bool:
        return self._never() if self.server.freeze == "channel" else False

    async def _never(self) -> asyncssh.SSHServerSession[bytes]:
        await asyncio.Event().wait()
        raise AssertionError


async def serve_command(server: Server, process: asyncssh.SSHServerProcess[bytes]) -> None:
    command = process.command or ""
    server.seen.append(command)
    match command.split()[0]:
        case "flood":
            for _ in range(600):
                process.stdout.write(b"x" * 100_000)
                await process.stdout.drain()
            process.stdout.write(b"\nthe end")
            process.stderr.write(b"\xff\n")
            process.exit(0)
        case "hang":
            await asyncio.Event().wait()
        case "drop":
            process.channel.get_connection().abort()
        case "leave":
            process.channel.get_connection().close()
        case "vanish":
            process.close()
        case "signal":
            process.exit_with_signal("TERM")
        case _:
            process.stdout.write(command.encode())
            process.exit(3)


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    return make_key_pair(tmp_path / "client")


@asynccontextmanager
async def serving(
    keys: KeyPair, door: type[Door] = Door, freeze: str = "", algorithm: str = "ssh-ed25519"
) -> AsyncIterator[Server]:
    server = Server(asyncssh.import_public_key(keys.line), asyncssh.generate_private_key(algorithm), freeze)

    async def handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
        with contextlib.suppress(asyncssh.Error, OSError):
            await serve_command(server, process)

    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: door(server),
        process_factory=None if door is OpenDoor else handle,
        server_host_keys=[server.host_key],
        encoding=None,
        gss_host=None,
    )
    server.port = acceptor.get_port()
    try:
        yield server
    finally:
        for connection in server.connections:
            connection.abort()
        acceptor.close()
        await acceptor.wait_closed()
        await asyncio.gather(*(connection.wait_closed() for connection in server.connections))


async def no_pin(host_id: int, key_line: str) -> None:
    raise AssertionError(f"nothing was to be pinned, but {host_id} {key_line}")


def executor(
    keys: KeyPair, pin: Callable[[int, str], Awaitable[None]] = no_pin, *, limit: float = 5.0, tofu: bool = False
) -> SshExecutor:
    options = SshOptions(
        client_keys=(keys.private,),
        connect_timeout=limit,
        login_timeout=limit,
        close_timeout=0.5,
        keepalive=0.2,
        trust_on_first_use=tofu,
    )
    return SshExecutor(options, pin)


def target(server: Server, **changes: Any) -> Target:
    plain = Target(7, "127.0.0.1", server.port, "admin", "/opt/a", "ocp", sudo=False, host_key=server.line)
    return replace(plain, **changes)


async def refused(executor: SshExecutor, to: Target) -> Outcome:
    """Return why no connection could be made, which must be known soon."""
    started = time.monotonic()
    with pytest.raises(HostConnectionError) as failure:
        async with executor.connect(to):
            pass
    assert time.monotonic() - started < 3
    return failure.value.outcome


async def run_refused(keys: KeyPair, server: Server, command: str) -> Outcome:
    async with executor(keys).connect(target(server)) as session:
        with pytest.raises(HostConnectionError) as failure:
            await session.run(Command.of(command), timeout=5)
    return failure.value.outcome


async def test_a_command_reaches_the_host_as_its_words_and_its_end_comes_back(keys: KeyPair) -> None:
    async with serving(keys) as server, executor(keys).connect(target(server)) as session:
        first = await session.run(Command.of("echo", "a b", "$HOME"), timeout=5)
        second = await session.run(Command.of("signal"), timeout=5)
        third = await session.run(Command.of("vanish"), timeout=5)

    assert (first.exit_status, first.signal, first.stdout) == (3, None, "echo 'a b' '$HOME'")
    assert (second.exit_status, second.signal) == (None, "TERM")
    assert (third.exit_status, third.signal) == (None, None)


async def test_a_worker_that_stood_still_sends_nothing_until_it_has_asked(keys: KeyPair) -> None:
    asked: list[bool] = []
    executor = SshExecutor(SshOptions(client_keys=(keys.private,)), no_pin, lambda: bool(asked))
    async with serving(keys) as server, executor.connect(target(server)) as session:
        with pytest.raises(CommandNotSentError):
            await session.run(Command.of("echo", "too late"), timeout=5)
        asked.append(True)
        assert (await session.run(Command.of("echo", "now"), timeout=5)).stdout == "echo now"
    assert [one for one in server.seen if one.startswith("echo")] == ["echo now"]


async def test_a_flood_is_read_to_its_end_and_only_head_and_tail_are_kept(keys: KeyPair) -> None:
    async with serving(keys) as server, executor(keys).connect(target(server)) as session:
        completed = await session.run(Command.of("flood"), timeout=60)

    assert completed.exit_status == 0
    assert len(completed.stdout.encode()) <= OUTPUT_LIMIT
    assert completed.stdout.endswith("\nthe end")
    assert "bytes left out" in completed.stdout
    assert completed.stderr == "\ufffd\n"


async def test_a_command_that_hangs_is_given_up_and_the_connection_still_serves(keys: KeyPair) -> None:
    async with serving(keys) as server, executor(keys).connect(target(server)) as session:
        with pytest.raises(TimeoutError):
            await session.run(Command.of("hang"), timeout=0.1)
        assert (await session.run(Command.of("again"), timeout=5)).stdout == "again"


@pytest.mark.parametrize("how", ["drop", "leave"])
async def test_a_connection_that_breaks_in_a_command_is_unreachable(keys: KeyPair, how: str) -> None:
    async with serving(keys) as server:
        outcome = await run_refused(keys, server, how)

    assert outcome == Unreachable(f"127.0.0.1:{server.port}", "connection lost while running a command")


async def test_a_command_on_a_connection_that_is_gone_is_unreachable(keys: KeyPair) -> None:
    async with serving(keys) as server, executor(keys).connect(target(server)) as session:
        for _ in range(2):
            with pytest.raises(HostConnectionError) as failure:
                await session.run(Command.of("drop"), timeout=5)
            assert isinstance(failure.value.outcome, Unreachable)


async def test_a_host_that_falls_silent_in_a_command_is_noticed_by_keepalives(keys: KeyPair) -> None:
    async with serving(keys) as server, executor(keys).connect(target(server)) as session:
        running = asyncio.create_task(session.run(Command.of("hang"), timeout=30))
        await eventually(lambda: "hang" in server.seen, 5, "the command runs")
        server.connections[0]._transport.pause_reading()  # type: ignore[union-attr]  # noqa: SLF001
        with pytest.raises(HostConnectionError) as failure:
            await asyncio.wait_for(running, 5)

    assert isinstance(failure.value.outcome, Unreachable)


async def test_a_channel_that_never_opens_is_bounded_and_so_is_the_close_after_it(keys: KeyPair) -> None:
    async with serving(keys, OpenDoor, freeze="channel") as server:
        started = time.monotonic()
        async with executor(keys).connect(target(server)) as session:
            with pytest.raises(TimeoutError):
                await session.run(Command.of("true"), timeout=0.1)
        assert time.monotonic() - started < 2


async def test_a_host_that_runs_no_commands(keys: KeyPair) -> None:
    async with serving(keys, OpenDoor) as server:
        outcome = await run_refused(keys, server, "true")

    assert outcome == UnexpectedAnswer(f"127.0.0.1:{server.port} refuses to run commands (Session refused)")


async def test_leaving_does_not_wait_for_a_command_that_hangs(keys: KeyPair) -> None:
    async with serving(keys) as server:
        async with executor(keys).connect(target(server)) as session:
            running = asyncio.create_task(session.run(Command.of("hang"), timeout=60))
            await eventually(lambda: "hang" in server.seen, 5, "the command runs")
            started = time.monotonic()
        assert time.monotonic() - started < 2
        with pytest.raises(HostConnectionError):
            await running


async def test_cancelling_ends_the_command_and_the_connection(keys: KeyPair) -> None:
    async with serving(keys) as server:

        async def work() -> None:
            async with executor(keys).connect(target(server)) as session:
                await session.run(Command.of("hang"), timeout=60)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await work()
        await asyncio.wait_for(server.connections[0].wait_closed(), 5)


async def test_a_wrong_host_key_is_named_and_nothing_is_sent_to_it(keys: KeyPair, tmp_path: Path) -> None:
    pinned = make_key_pair(tmp_path / "other").line
    async with serving(keys) as server:
        outcome = await refused(executor(keys), target(server, host_key=pinned))

    assert outcome == HostKeyMismatch(f"127.0.0.1:{server.port}", fingerprint_key(pinned), fingerprint_key(server.line))
    assert outcome.sentence().startswith(
        f"Host key mismatch: 127.0.0.1:{server.port} showed {fingerprint_key(server.line)}, but the inventory pins "
        f"{fingerprint_key(pinned)}. The worker sent nothing."
    )
    assert server.seen == []


async def test_a_host_that_has_only_a_key_of_another_type_is_a_mismatch_too(keys: KeyPair) -> None:
    async with serving(keys, algorithm="ecdsa-sha2-nistp256") as server, serving(keys) as other:
        outcome = await refused(executor(keys), target(server, host_key=other.line))

    assert isinstance(outcome, HostKeyMismatch)
    assert server.seen == []


@pytest.mark.parametrize("algorithm", ["ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_pinned_keys_of_other_types_are_accepted(keys: KeyPair, algorithm: str) -> None:
    async with serving(keys, algorithm=algorithm) as server, executor(keys).connect(target(server)) as session:
        assert (await session.run(Command.of("echo"), timeout=5)).exit_status == 3


async def test_a_host_without_a_pinned_key_is_not_contacted(keys: KeyPair) -> None:
    async with serving(keys) as server:
        outcome = await refused(executor(keys), target(server, host_key=None))
        unreadable = await refused(executor(keys, tofu=True), target(server, host_key="ssh-ed25519 AAAA"))

    assert outcome == HostKeyNotPinned(f"127.0.0.1:{server.port}")
    assert "Run `ocpfleet hosts trust ID`, or set OCPFLEET_TRUST_ON_FIRST_USE, then retry." in outcome.sentence()
    assert unreadable == HostKeyUnreadable(f"127.0.0.1:{server.port}")
    assert "is not an OpenSSH public key" in unreadable.sentence()
    assert server.connections == []


async def test_trust_on_first_use_pins_the_key_that_was_shown_once_the_login_succeeded(keys: KeyPair) -> None:
    pins: list[tuple[int, str]] = []

    async def pin(host_id: int, key_line: str) -> None:
        pins.append((host_id, key_line))

    async with serving(keys) as server:
        trusting = executor(keys, pin, tofu=True)
        await refused_login(trusting, server)
        assert pins == []
        async with trusting.connect(target(server, host_key=None)) as session:
            assert (await session.run(Command.of("echo"), timeout=5)).exit_status == 3
        assert pins == [(7, server.line)]
        async with trusting.connect(target(server, host_key=pins[0][1])):
            pass
        assert len(pins) == 1


async def refused_login(executor: SshExecutor, server: Server) -> None:
    authorized, server.authorized = server.authorized, server.host_key
    outcome = await refused(executor, target(server, host_key=None))
    assert isinstance(outcome, AuthenticationFailed)
    server.authorized = authorized


async def test_a_pin_that_cannot_be_kept_is_passed_on_and_the_connection_is_cut(keys: KeyPair) -> None:
    async def pin(host_id: int, key_line: str) -> None:
        raise RuntimeError(f"no room for {host_id} {key_line}")

    async with serving(keys) as server:
        with pytest.raises(RuntimeError, match="no room"):
            async with executor(keys, pin, tofu=True).connect(target(server, host_key=None)):
                pass
        await asyncio.wait_for(server.connections[0].wait_closed(), 5)


async def test_a_key_that_the_host_does_not_know(keys: KeyPair, tmp_path: Path) -> None:
    async with serving(keys) as server:
        outcome = await refused(executor(make_key_pair(tmp_path / "stranger")), target(server))

    assert outcome == AuthenticationFailed(f"127.0.0.1:{server.port}", "admin")
    assert outcome.sentence().startswith(
        f"Authentication failed: 127.0.0.1:{server.port} accepted none of the worker's keys for user admin."
    )


@pytest.mark.parametrize("freeze", ["auth", "key"])
async def test_a_host_that_never_answers_the_login(keys: KeyPair, freeze: str) -> None:
    async with serving(keys, freeze=freeze) as server:
        outcome = await refused(executor(keys, limit=0.3), target(server))

    assert outcome == TimedOut(f"logging in to 127.0.0.1:{server.port} as admin", 0.3)
    assert outcome.sentence() == (
        f"Timed out: 0.3 s ran out while logging in to 127.0.0.1:{server.port} as admin. Look at the host, then retry."
    )


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-Frozen\r\n", b"Welcome\r\n"])
async def test_a_host_that_hangs_before_or_in_the_key_exchange(keys: KeyPair, greeting: bytes) -> None:
    async with silent(greeting) as port:
        outcome = await refused(executor(keys, limit=0.3), at(port))

    assert outcome == TimedOut(f"exchanging keys with 127.0.0.1:{port}", 0.3)


async def test_a_host_that_takes_no_connection_and_refuses_none(keys: KeyPair) -> None:
    async with full_backlog() as port:
        outcome = await refused(executor(keys, limit=0.3), at(port))

    assert outcome == TimedOut(f"connecting to 127.0.0.1:{port}", 0.3)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n" + os.urandom(4096)])
async def test_something_else_that_hangs_up(keys: KeyPair, said: bytes) -> None:
    async with silent(said, hang_up=True) as port:
        outcome = await refused(executor(keys), at(port))

    assert isinstance(outcome, Unreachable | UnexpectedAnswer)
    assert f"127.0.0.1:{port}" in outcome.sentence()


async def test_a_port_where_nobody_listens(keys: KeyPair) -> None:
    async with silent(b"") as port:
        pass
    outcome = await refused(executor(keys), at(port))

    assert isinstance(outcome, Unreachable)
    assert outcome.sentence().startswith(f"Unreachable: 127.0.0.1:{port}: ")
    assert "refused" in outcome.detail.lower()


async def test_a_host_key_can_be_fetched_without_a_login(keys: KeyPair) -> None:
    async with serving(keys) as server:
        assert await fetch_host_key("127.0.0.1", server.port, 5) == server.line
        assert server.seen == []
    with pytest.raises(HostConnectionError) as gone:
        await fetch_host_key("127.0.0.1", server.port, 5)
    assert isinstance(gone.value.outcome, Unreachable)
    async with silent(b"") as port:
        with pytest.raises(HostConnectionError) as hung:
            await fetch_host_key("127.0.0.1", port, 0.2)
    assert hung.value.outcome == TimedOut(f"exchanging keys with 127.0.0.1:{port}", 0.2)


async def test_hundreds_of_connections_at_a_time_and_a_key_with_a_passphrase(keys: KeyPair, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.write_bytes(asyncssh.read_private_key(str(keys.private)).export_private_key(passphrase="open"))
    (tmp_path / "passphrase").write_text("open\n")
    options = SshOptions(client_keys=(locked,), passphrase_file=tmp_path / "passphrase", connect_timeout=60)
    async with serving(keys) as server:
        executor = SshExecutor(options, no_pin)

        async def visit() -> int | None:
            async with executor.connect(target(server)) as session:
                return (await session.run(Command.of("echo"), timeout=60)).exit_status

        assert await asyncio.gather(*(visit() for _ in range(200))) == [3] * 200
    (tmp_path / "passphrase").write_text("wrong\n")
    with pytest.raises(ValueError, match=r"SSH key .*locked cannot be opened"):
        SshExecutor(options, no_pin)


def test_a_worker_with_nothing_to_log_in_with_does_not_start() -> None:
    with pytest.raises(ValueError, match="private key or an ssh-agent"):
        SshExecutor(SshOptions(), no_pin)


async def test_keys_of_an_ssh_agent_log_in_as_well(
    keys: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_agent(tmp_path / "agent.sock", keys, monkeypatch):
        async with serving(keys) as server:
            executor = SshExecutor(SshOptions(use_agent=True), no_pin)
            async with executor.connect(target(server)) as session:
                assert (await session.run(Command.of("echo"), timeout=5)).exit_status == 3
    monkeypatch.delenv("SSH_AUTH_SOCK")
    with pytest.raises(ValueError, match="SSH_AUTH_SOCK"):
        SshExecutor(SshOptions(use_agent=True), no_pin)


async def test_an_ssh_agent_that_is_gone_is_an_outcome(keys: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent.sock")
    async with serving(keys) as server:
        outcome = await refused(SshExecutor(SshOptions(use_agent=True), no_pin), target(server))

    assert isinstance(outcome, Unreachable | AuthenticationFailed)


@contextlib.contextmanager
def running_agent(path: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)  # noqa: S607 - from the PATH
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        wait_until(path.exists, 5, "the ssh-agent listens")
        subprocess.run(["ssh-add", "-q", keys.private], check=True, timeout=10, capture_output=True)  # noqa: S607
        yield
    finally:
        agent.terminate()
        agent.wait(5)


def at(port: int) -> Target:
    key = " ".join(asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[:2])
    return Target(7, "127.0.0.1", port, "admin", "/opt/a", "ocp", sudo=False, host_key=key)


@asynccontextmanager
async def silent(says: bytes, *, hang_up: bool = False) -> AsyncIterator[int]:
    """A server that says this to whoever connects, and then nothing, or hangs up."""
    writers: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(says)
        if hang_up:
            writer.close()
        else:
            await reader.read()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def full_backlog() -> AsyncIterator[int]:
    """A listening socket whose queue is full: the kernel then answers no further connection at all."""
    import socket  # noqa: PLC0415 - nothing else here needs it

    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
