"""Two hundred hosts in one process that outlives every worker: each behind an SSH server of its own address.

Behind each server is the product's own stub agent, made slower and more wilful: stops and starts take their time and a
lock, go on when their client is gone, and are refused now and then. Every command is logged as one line of JSON, with
the connection and the key that it came by; a worker process has a key of its own in each of its lives.

Run as ``python -m tests.chaos.hosts``. SIGUSR1 ends the refusals; SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shlex
import signal
import time
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
from typing_extensions import override

from core.command import Command
from core.host import Target
from demo.processes import die_with_parent
from demo.simulated_sshd import ByKey
from workers.executor.base import Completed
from workers.executor.stub.executor import StubExecutor
from workers.executor.stub.session import join_stop_output

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = IPv4Address("127.47.0.1")
HOME = "/chaos/ocp_agent"
USER = "chaos"
_CONTROL = ("stop", "start")
_TAKES = (0.3, 5.0)
"""Seconds that a stop or a start takes: long enough for live claims at all times, with few connections."""
_STOP = "ocpfleet-stop"
"""Marks a stop with a look before and after it."""
_LOCKED = "Module=agent, kind=INTERNAL, code=fetch_admin_lock_failed; [admin.lock]: file exists"
_REFUSED = "Module=agent, kind=INTERNAL, code=fetch_config_failed; no such file or directory"


def target(host_id: int, port: int, host_key: str | None) -> Target:
    """Return a host as the inventory has it; ids go from 1 on."""
    return Target(host_id, str(FIRST + host_id - 1), port, USER, HOME, "ocp", sudo=False, host_key=host_key)


@dataclass(slots=True)
class Fleet:
    """The agents, and what was said to them.

    Args:
        say: gets every line of the log.
        draws: decides how long each command takes and which is refused.
        refusals: of a hundred stops and starts so many are refused.
    """

    say: Callable[[dict[str, Any]], None]
    draws: random.Random
    refusals: float
    agents: StubExecutor = field(default_factory=StubExecutor)
    locks: set[int] = field(default_factory=set)
    calls: count[int] = field(default_factory=lambda: count(1))

    def alive(self, host: int) -> bool:
        """Return whether a process of a host's agent lives."""
        return bool(self.agents.list_pids(host))

    async def command(self, host: int, visit: int, text: str) -> Completed:
        """Do what a command says, to its end, and log both of its edges."""
        words = shlex.split(text)
        verb = _verb(words)
        call = next(self.calls)
        self.say({"edge": "begin", "host": host, "visit": visit, "call": call, "verb": verb})
        answer, completed = await self._answer(host, verb, words)
        told = {"edge": "end", "host": host, "visit": visit, "call": call, "answer": answer}
        self.say(told | {"alive": self.alive(host)})
        return completed

    async def _answer(self, host: int, verb: str, words: list[str]) -> tuple[str, Completed]:
        if verb not in _CONTROL:
            return "done", await self._agent(host, words)
        if host in self.locks:
            return "locked", await self._around(host, words, _no(_LOCKED))
        self.locks.add(host)
        try:
            await asyncio.sleep(self.draws.uniform(*_TAKES))
            if self.draws.uniform(0, 100) < self.refusals:
                return "refused", await self._around(host, words, _no(_REFUSED))
            return "done", await self._agent(host, words)
        finally:
            self.locks.discard(host)

    async def _around(self, host: int, words: list[str], said: Completed) -> Completed:
        """Return what a host answers whose agent said this; with a look before and after it where that is asked."""
        if _STOP not in words:
            return said
        seen = await self._agent(host, ["sh", "-c", "", "ocpfleet-look", *words[words.index(_STOP) + 1 : -1]])
        return join_stop_output(seen, said, seen)

    async def _agent(self, host: int, words: list[str]) -> Completed:
        async with self.agents.connect(target(host, 22, None)) as session:
            return await session.run(Command.of(*words), timeout=30)


def _verb(words: list[str]) -> str:
    """Return what a command has the agent do; "script" where nothing."""
    if _STOP in words:
        return "stop"
    return words[-1] if words[0].startswith(HOME) else "script"


def _no(error: str) -> Completed:
    return Completed(255, None, "", json.dumps({"successful": False, "message": None, "error": error}))


@dataclass(slots=True)
class _Keys:
    """Who has which key: the public keys in a directory, to which more are added as time goes by."""

    directory: Path
    known: dict[str, str] = field(default_factory=dict)

    def owner(self, key: asyncssh.SSHKey) -> str:
        """Return the name of the file that has a key; "" where none has."""
        given = key.export_public_key().decode().split()[1]
        if given not in self.known:
            self.known = {one.read_text().split()[1]: one.stem for one in self.directory.glob("*.pub")}
        return self.known.get(given, "")


class _Door(ByKey):
    """Lets in whoever has a key in the directory, under the name of the key's file."""

    def __init__(self, host: int, visit: int, keys: _Keys, say: Callable[[dict[str, Any]], None]) -> None:
        self._host, self._visit, self._keys, self._say = host, visit, keys, say
        self._in = False
        self._who = ""

    @override
    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        conn.set_extra_info(visit=self._visit)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._in:
            self._say({"edge": "gone", "host": self._host, "visit": self._visit})

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._who = self._keys.owner(key)
        return bool(self._who)

    @override
    def auth_completed(self) -> None:
        self._in = True
        self._say({"edge": "come", "host": self._host, "visit": self._visit, "who": self._who})


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM."""
    with options.log.open("a", buffering=1) as log:

        def say(line: dict[str, Any]) -> None:
            log.write(json.dumps({"at": time.monotonic()} | line) + "\n")

        fleet = Fleet(say, random.Random(options.seed), options.refusals)
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, over.set)
        loop.add_signal_handler(signal.SIGUSR1, lambda: setattr(fleet, "refusals", 0.0))
        key = asyncssh.import_private_key(options.host_key.read_bytes())
        visits, keys = count(1), _Keys(options.keys)

        def doors(host: int) -> Callable[[], _Door]:
            return lambda: _Door(host, next(visits), keys, say)

        listening = [await _listen(fleet, host, options.port, key, doors(host)) for host in range(1, options.count + 1)]
        say({"edge": "ready"})
        await over.wait()
        for one in listening:
            one.close()


async def _listen(
    fleet: Fleet, host: int, port: int, key: asyncssh.SSHKey, door: Callable[[], _Door]
) -> asyncssh.SSHAcceptor:
    running: set[asyncio.Task[Completed]] = set()

    async def run(session: asyncssh.SSHServerProcess[str]) -> None:
        command = fleet.command(host, session.get_extra_info("visit"), session.command or "true")
        work = asyncio.create_task(command)  # goes on when its client is gone, as on a real host
        running.add(work)
        work.add_done_callback(running.discard)
        completed = await asyncio.shield(work)
        if session.is_closing():
            return
        session.stdout.write(completed.stdout)
        session.stderr.write(completed.stderr)
        session.exit(completed.exit_status or 0)

    return await asyncssh.listen(
        str(FIRST + host - 1),
        port,
        server_factory=door,
        process_factory=run,
        server_host_keys=[key],
        kex_algs=["curve25519-sha256"],
        allow_pty=False,
        gss_host=None,
    )


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.hosts")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path, required=True, help="directory with the public keys of all workers")
    parser.add_argument("--host-key", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--refusals", type=float, default=1.0, help="of a hundred stops and starts")
    options = parser.parse_args()
    die_with_parent()
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
