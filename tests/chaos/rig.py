"""The fleet that is tormented: the system of the acceptance tests, a broker of its own, and simulated hosts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING

import httpx

from demo.keys import make_key_pair
from demo.ports import reserve_port
from demo.supervisor import Supervisor
from infra import embedded
from tests.chaos.hosts import FIRST, target
from tests.chaos.processes import MARK
from tests.support.system import running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.supervisor import Child
    from tests.support.system import System

LOST_AFTER = 4.0
"""Seconds without a beat until a worker is lost."""
SETTINGS = {
    "OCPFLEET_LOST_AFTER": f"{LOST_AFTER:g}",
    "OCPFLEET_ALIVE_FOR": f"{LOST_AFTER:g}",
    "OCPFLEET_BEAT_EVERY": "0.5",
    "OCPFLEET_RECONCILE_EVERY": "0.5",
    "OCPFLEET_REDIS_TIMEOUT": "2",
    "OCPFLEET_SHUTDOWN_GRACE": "1",
    "OCPFLEET_RATE_LIMIT": "false",
}
APIS = ("api", "api-2")
WORKERS = ("worker-1", "worker-2", "worker-3")


@dataclass(slots=True)
class Rig:
    """All that runs."""

    run: str
    """What marks every process that belongs to it; see `tests.chaos.processes`."""
    directory: Path
    system: System
    broker: Child
    hosts: Child
    lives: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORKERS, 1))
    """By worker: how often it was started."""

    @property
    def log(self) -> Path:
        """What the hosts were told, a line each."""
        return self.directory / "hosts.jsonl"

    @property
    def apis(self) -> list[Child]:
        """The APIs."""
        return [child for child in self.system.supervisor.children if child.name in APIS]

    @property
    def store(self) -> Child:
        """The store."""
        assert self.system.redis is not None
        return self.system.redis

    @property
    def children(self) -> list[Child]:
        """All that was started, and is started again."""
        return [self.broker, self.hosts, *self.system.supervisor.children]

    def ready(self) -> bool:
        """Return whether every API answers and says that all is there."""
        return all(self.says_yes(api, "/readyz") for api in self.apis)

    def address(self, api: Child) -> str:
        """Return where an API is."""
        return f"http://127.0.0.1:{api.environment['OCPFLEET_API_PORT']}"

    def says_yes(self, api: Child, path: str) -> bool:
        """Return whether an API answers that something is so."""
        try:
            return httpx.get(f"{self.address(api)}{path}", timeout=5).is_success
        except httpx.TransportError:
            return False

    def who(self, worker: str) -> str:
        """Return a worker with its present life, as the hosts know it."""
        return f"{worker}.{self.lives[worker]}"

    def start_again(self, child: Child) -> None:
        """Start a child that ended, as its supervisor would: the broker empty, a worker with a new key."""
        if child is self.broker:
            shutil.rmtree(self.directory / "broker" / "appendonlydir", ignore_errors=True)
        if child.name in self.lives:
            self.lives[child.name] += 1
            child.environment = {**child.environment, "OCPFLEET_SSH_KEYS": _key(self.directory, self.who(child.name))}
        child.start()

    def calm_hosts(self) -> None:
        """Have the hosts refuse nothing any more."""
        assert self.hosts.process is not None
        self.hosts.process.send_signal(signal.SIGUSR1)


@contextmanager
def standing(directory: Path, count: int, seed: int, **settings: str) -> Iterator[Rig]:
    """Start everything; it ends with the context.

    Args:
        directory: where everything goes.
        count: how many hosts.
        seed: for the hosts' draws.
        settings: in place of `SETTINGS`, or beside them.
    """
    port = reserve_port()
    os.environ[MARK] = run = token_hex(8)
    with Supervisor(directory / "logs") as supervisor:
        broker = supervisor.start("broker", embedded.prepare(directory / "broker", port), os.environ)
        hosts, targets = _hosts(supervisor, directory, count, seed)
        wait_until(lambda: broker.has_said(embedded.LISTENING), 20, "the broker to listen")
        url = embedded.url(port)
        chosen = {**SETTINGS, **settings, "OCPFLEET_BROKER_URL": url}
        with running(directory / "system", workers=1, **chosen) as system:
            (directory / "keys" / "worker-1.1.pub").write_text(system.key.line)
            rig = Rig(run, directory, system, broker, hosts)
            for worker in WORKERS[1:]:
                system.start_worker(worker, OCPFLEET_SSH_KEYS=_key(directory, rig.who(worker)))
            system.start_api(APIS[1])
            system.ready()
            wait_until(lambda: rig.log.exists() and '"ready"' in rig.log.read_text(), 60, "the hosts to be up")
            system.command("hosts", "import", str(targets))
            yield rig


def _hosts(supervisor: Supervisor, directory: Path, count: int, seed: int) -> tuple[Child, Path]:
    """Start the hosts; return their process, and a file that names them."""
    port = reserve_port(addresses=[str(FIRST + number) for number in range(count)])
    key = make_key_pair(directory, "host-key")
    (directory / "keys").mkdir()
    numbers = ("--count", f"{count}", "--port", f"{port}", "--seed", f"{seed}")
    paths = ("--keys", f"{directory / 'keys'}", "--host-key", f"{key.private}", "--log", f"{directory / 'hosts.jsonl'}")
    child = supervisor.start("hosts", [sys.executable, "-m", "tests.chaos.hosts", *numbers, *paths], os.environ)
    all_of_them = [target(number, port, key.line) for number in range(1, count + 1)]
    inventory = directory / "inventory.yaml"
    inventory.write_text(
        json.dumps(
            [
                {
                    "id": one.host_id,
                    "innerIpAddress": one.address,
                    "sshPort": one.port,
                    "sshUser": one.user,
                    "agentHome": one.agent_home,
                    "hostKey": one.host_key,
                }
                for one in all_of_them
            ]
        )
    )
    return child, inventory


def _key(directory: Path, who: str) -> str:
    return json.dumps([str(make_key_pair(directory / "keys", who).private)])
