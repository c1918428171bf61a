"""Two hundred simulated hosts in one process that outlives every worker, each with an SSH server on its own address.

Behind each server is the product's stub agent, made slower and less cooperative: stops and starts take time and a lock,
go on after their client has gone, and are refused now and then. The log has a line of JSON for each command, with its
connection; for a connection it has the key. Each life of a worker process has a key of its own.

Run it as ``python -m tests.chaos.hosts``. SIGUSR1 ends the refusals; SIGTERM ends the program.
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
"""Seconds of a stop or a start: long enough that there are always live claims, with few connections."""
_STOP = "ocpfleet-stop"
"""The mark of a stop with a look before and after it."""
_LOCKED = "Module=agent, kind=INTERNAL, code=fetch_admin_lock_failed; [admin.lock]: file exists"
_REFUSED = "Module=agent, kind=INTERNAL, code=fetch_config_failed; no such file or directory"


def make_target(host_id: int, port: int, host_key: str | None) -> Target:
    """Return a host for the inventory; ids count from 1."""
    return Target(host_id, str(FIRST + host_id - 1), port, USER, HOME, "ocp", sudo=False, host_key=host_key)


@dataclass(slots=True)
class SimulatedAgents:
    """The agents of all hosts.

    Args:
        say: writes a line to the log.
        draws: decides the time of each command, and which ones are refused.
        refusals: percentage of stops and starts that are refused.
    """

    say: Callable[[dict[str, Any]], None]
    draws: random.Random
    refusals: float
    agents: StubExecutor = field(default_factory=StubExecutor)
    locks: set[int] = field(default_factory=set)
    calls: count[int] = field(default_factory=lambda: count(1))

    def is_alive(self, host: int) -> bool:
        """Return whether a process of a host's agent is alive."""
        return bool(self.agents.list_pids(host))

    async def run_command(self, host: int, visit: int, text: str) -> Completed:
        """Run a command to its end, and log its begin and its end."""
        words = shlex.split(text)
        verb = _read_verb(words)
        call = next(self.calls)
        self.say({"edge": "begin", "host": host, "visit": visit, "call": call, "verb": verb})
        answer, completed = await self._answer(host, verb, words)
        told = {"edge": "end", "host": host, "visit": visit, "call": call, "answer": answer}
        self.say(told | {"alive": self.is_alive(host)})
        return completed

    async def _answer(self, host: int, verb: str, words: list[str]) -> tuple[str, Completed]:
        if verb not in _CONTROL:
            return "done", await self._run_on_agent(host, words)
        if host in self.locks:
            return "locked", await self._answer_with_looks(host, words, _make_refusal(_LOCKED))
        self.locks.add(host)
        try:
            await asyncio.sleep(self.draws.uniform(*_TAKES))
            if self.draws.uniform(0, 100) < self.refusals:
                return "refused", await self._answer_with_looks(host, words, _make_refusal(_REFUSED))
            return "done", await self._run_on_agent(host, words)
        finally:
            self.locks.discard(host)

    async def _answer_with_looks(self, host: int, words: list[str], said: Completed) -> Completed:
        """Return a host's answer with its agent's output; for our stop command, with a look before and after it."""
        if _STOP not in words:
            return said
        seen = await self._run_on_agent(host, ["sh", "-c", "", "ocpfleet-look", *words[words.index(_STOP) + 1 : -1]])
        return join_stop_output(seen, said, seen)

    async def _run_on_agent(self, host: int, words: list[str]) -> Completed:
        async with self.agents.connect(make_target(host, 22, None)) as session:
            return await session.run(Command.of(*words), timeout=30)


def _read_verb(words: list[str]) -> str:
    """Return the verb that a command gives to the agent; "script" if it gives none."""
    if _STOP in words:
        return "stop"
    return words[-1] if words[0].startswith(HOME) else "script"


def _make_refusal(error: str) -> Completed:
    return Completed(255, None, "", json.dumps({"successful": False, "message": None, "error": error}))


@dataclass(slots=True)
class _Keys:
    """Finds the owners of public keys in a directory, to which more keys are added over time."""

    directory: Path
    known: dict[str, str] = field(default_factory=dict)

    def find_owner(self, key: asyncssh.SSHKey) -> str:
        """Return the name of the file with a key; "" if there is none."""
        given = key.export_public_key().decode().split()[1]
        if given not in self.known:
            self.known = {one.read_text().split()[1]: one.stem for one in self.directory.glob("*.pub")}
        return self.known.get(given, "")


class _Server(ByKey):
    """Accepts every key in the directory, and logs its owner: the name of the key's file."""

    def __init__(self, host: int, visit: int, keys: _Keys, say: Callable[[dict[str, Any]], None]) -> None:
        self._host, self._visit, self._keys, self._say = host, visit, keys, say
        self._accepted = False
        self._who = ""

    @override
    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        conn.set_extra_info(visit=self._visit)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._accepted:
            self._say({"edge": "gone", "host": self._host, "visit": self._visit})

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._who = self._keys.find_owner(key)
        return bool(self._who)

    @override
    def auth_completed(self) -> None:
        self._accepted = True
        self._say({"edge": "come", "host": self._host, "visit": self._visit, "who": self._who})


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM."""
    with options.log.open("a", buffering=1) as log:

        def say(line: dict[str, Any]) -> None:
            log.write(json.dumps({"at": time.monotonic()} | line) + "\n")

        fleet = SimulatedAgents(say, random.Random(options.seed), options.refusals)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGUSR1, lambda: setattr(fleet, "refusals", 0.0))
        key = asyncssh.import_private_key(options.host_key.read_bytes())
        visits, keys = count(1), _Keys(options.keys)

        def make_doors(host: int) -> Callable[[], _Server]:
            return lambda: _Server(host, next(visits), keys, say)

        acceptors = [
            await _listen(fleet, host, options.port, key, make_doors(host)) for host in range(1, options.count + 1)
        ]
        say({"edge": "ready"})
        await stop.wait()
        for acceptor in acceptors:
            acceptor.close()


async def _listen(
    fleet: SimulatedAgents, host: int, port: int, key: asyncssh.SSHKey, door: Callable[[], _Server]
) -> asyncssh.SSHAcceptor:
    running: set[asyncio.Task[Completed]] = set()

    async def run(session: asyncssh.SSHServerProcess[str]) -> None:
        command = fleet.run_command(host, session.get_extra_info("visit"), session.command or "true")
        work = asyncio.create_task(command)  # goes on after its client has gone, as on a real host
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
    parser.add_argument("--keys", type=Path, required=True, help="the directory with the public keys of all workers")
    parser.add_argument("--host-key", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--refusals", type=float, default=1.0, help="percentage of stops and starts that are refused")
    options = parser.parse_args()
    die_with_parent()
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
