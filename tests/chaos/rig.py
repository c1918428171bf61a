"""The system under test: the system of the acceptance tests, with a broker of its own and simulated hosts."""

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
from tests.chaos.hosts import FIRST, make_target
from tests.chaos.processes import MARK
from tests.support.system import running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.supervisor import Child
    from tests.support.system import System

LOST_AFTER = 4.0
"""Seconds without a beat until a worker is called lost."""
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
    """All processes of a run."""

    run: str
    """The value that marks every process of the run; see `tests.chaos.processes`."""
    directory: Path
    system: System
    broker: Child
    hosts: Child
    lives: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORKERS, 1))
    """The number of starts of a worker, by its name."""

    @property
    def log(self) -> Path:
        """The log of the hosts."""
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
        """All processes that are restarted when they end."""
        return [self.broker, self.hosts, *self.system.supervisor.children]

    def is_ready(self) -> bool:
        """Return whether every API answers that the system is ready."""
        return all(self.says_yes(api, "/readyz") for api in self.apis)

    def get_address(self, api: Child) -> str:
        """Return the address of an API."""
        return f"http://127.0.0.1:{api.environment['OCPFLEET_API_PORT']}"

    def says_yes(self, api: Child, path: str) -> bool:
        """Return whether an API answers a GET of a path with success."""
        try:
            return httpx.get(f"{self.get_address(api)}{path}", timeout=5).is_success
        except httpx.TransportError:
            return False

    def name_life(self, worker: str) -> str:
        """Return a worker's name with its present life, such as "worker-2.3": the name of its SSH key."""
        return f"{worker}.{self.lives[worker]}"

    def start_again(self, child: Child) -> None:
        """Restart a child as its supervisor would: the broker without its data, a worker with a new key."""
        if child is self.broker:
            shutil.rmtree(self.directory / "broker" / "appendonlydir", ignore_errors=True)
        if child.name in self.lives:
            self.lives[child.name] += 1
            child.environment = {
                **child.environment,
                "OCPFLEET_SSH_KEYS": _make_key(self.directory, self.name_life(child.name)),
            }
        child.start()

    def calm_hosts(self) -> None:
        """Have the hosts stop refusing commands."""
        assert self.hosts.process is not None
        self.hosts.process.send_signal(signal.SIGUSR1)


@contextmanager
def run_rig(directory: Path, count: int, seed: int, **settings: str) -> Iterator[Rig]:
    """Start everything, and stop it at the end.

    Args:
        directory: the directory for all files.
        count: the number of hosts.
        seed: the seed of the hosts' draws.
        settings: settings that replace or extend `SETTINGS`.
    """
    port = reserve_port()
    os.environ[MARK] = run = token_hex(8)
    with Supervisor(directory / "logs") as supervisor:
        broker = supervisor.start("broker", embedded.prepare(directory / "broker", port), os.environ)
        hosts, targets = _start_hosts(supervisor, directory, count, seed)
        wait_until(lambda: broker.has_said(embedded.LISTENING), 20, "the broker to listen")
        url = embedded.url(port)
        chosen = {**SETTINGS, **settings, "OCPFLEET_BROKER_URL": url}
        with running(directory / "system", workers=1, **chosen) as system:
            (directory / "keys" / "worker-1.1.pub").write_text(system.key.line)
            rig = Rig(run, directory, system, broker, hosts)
            for worker in WORKERS[1:]:
                system.start_worker(worker, OCPFLEET_SSH_KEYS=_make_key(directory, rig.name_life(worker)))
            system.start_api(APIS[1])
            system.ready()
            wait_until(lambda: rig.log.exists() and '"ready"' in rig.log.read_text(), 60, "the hosts to be up")
            system.command("hosts", "import", str(targets))
            yield rig


def _start_hosts(supervisor: Supervisor, directory: Path, count: int, seed: int) -> tuple[Child, Path]:
    """Start the hosts; return their process and their inventory file."""
    port = reserve_port(addresses=[str(FIRST + number) for number in range(count)])
    key = make_key_pair(directory, "host-key")
    (directory / "keys").mkdir()
    numbers = ("--count", f"{count}", "--port", f"{port}", "--seed", f"{seed}")
    paths = ("--keys", f"{directory / 'keys'}", "--host-key", f"{key.private}", "--log", f"{directory / 'hosts.jsonl'}")
    child = supervisor.start("hosts", [sys.executable, "-m", "tests.chaos.hosts", *numbers, *paths], os.environ)
    all_of_them = [make_target(number, port, key.line) for number in range(1, count + 1)]
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


def _make_key(directory: Path, who: str) -> str:
    return json.dumps([str(make_key_pair(directory / "keys", who).private)])
