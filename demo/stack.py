"""The whole system on this machine: store, simulated hosts, API, workers and Flower, on free loopback ports."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import httpx

from demo.agents import StandInAgent
from demo.ports import reserve_port
from demo.supervisor import ChildFailedError, Supervisor
from infra import embedded
from infra.private_file import write_private

USER = "admin"
_PATIENCE = 60.0
"""Seconds until a part of the system must have started."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The addresses and credentials of a running system."""

    api: str
    user: str
    password: str
    flower: str
    redis: str
    hosts: tuple[int, ...]

    def write(self, path: Path) -> None:
        """Write them as JSON; only the owner can read the file."""
        write_private(path, json.dumps({name: getattr(self, name) for name in self.__slots__}, indent=2).encode())

    def write_client(self, path: Path) -> None:
        """Write a client file for the command line; only the owner can read the file."""
        lines = (f"{key} = {json.dumps(value)}\n" for key, value in self._client.items())
        write_private(path, "".join(lines).encode())

    @property
    def _client(self) -> dict[str, str]:
        return {"api": self.api, "user": self.user, "password": self.password}


@dataclass(frozen=True, slots=True)
class Stack:
    """A running system."""

    facts: Facts
    agents: dict[int, StandInAgent]
    """The simulated hosts' agents by host id."""
    supervisor: Supervisor


@contextmanager
def run_stack(directory: Path, *, hosts: int, workers: int, say: Callable[[str], None]) -> Iterator[Stack]:
    """Start everything, and stop it at the end.

    Args:
        directory: the directory for data, keys, logs and the simulated hosts; it is emptied first.
        hosts: the number of simulated hosts.
        workers: the number of worker processes.
        say: called with a line for each thing that happens.

    Raises:
        ChildFailedError: a part did not start; the message says which and why.
    """
    with _lock_directory(directory), Supervisor(directory / "logs") as supervisor:
        builder = _Builder(directory.resolve(), supervisor, say)
        builder.start_store()
        builder.start_hosts(hosts)
        builder.start_processes(workers)
        yield builder.finish()


def get_client_file(directory: Path) -> Path:
    """Return the path of the client file of a system in a directory, such as `up-client.toml` beside `up`."""
    return directory.with_name(f"{directory.name}-client.toml")


def get_facts_file(directory: Path) -> Path:
    """Return the path of the facts of a system in a directory, such as `up.json` beside `up`."""
    return directory.with_name(f"{directory.name}.json")


@contextmanager
def _lock_directory(directory: Path) -> Iterator[None]:
    """Prevent a second start in the same directory, and remove the files of an earlier one."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    lock = directory.with_name(f"{directory.name}.lock")
    with lock.open("w") as file:
        try:
            os.lockf(file.fileno(), os.F_TLOCK, 0)
        except OSError as error:
            raise ChildFailedError(f"another system runs in {directory}; stop it first") from error
        shutil.rmtree(directory / "redis", ignore_errors=True)
        shutil.rmtree(directory / "logs", ignore_errors=True)
        for old in directory.glob("flower*"):
            old.unlink()
        for name in ("admin-password", "inventory.yaml"):
            (directory / name).unlink(missing_ok=True)
        get_facts_file(directory).unlink(missing_ok=True)
        get_client_file(directory).unlink(missing_ok=True)
        yield


class _Builder:
    """Starts the parts one after the other, each when the one before it answers."""

    def __init__(self, directory: Path, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._supervisor = supervisor
        self._say = say
        self._environment = dict(os.environ)
        self._agents: dict[int, StandInAgent] = {}
        self._api_port = reserve_port(8080)
        self._flower_port = reserve_port(5555)

    def start_store(self) -> None:
        """Start the embedded server, unless the settings have the address of another one."""
        given = os.environ.get("OCPFLEET_REDIS_URL")
        if given:
            self._say("using the Redis at OCPFLEET_REDIS_URL")
            return
        port, password = reserve_port(), embedded.make_password()
        command = embedded.prepare(self._directory / "redis", port, password)
        self._environment["OCPFLEET_REDIS_URL"] = embedded.url(port, password)
        self._supervisor.start("redis", command, self._environment, restarted=True)
        self._wait_for(lambda: _is_listening(port), "redis")
        self._say(f"store: valkey-server on 127.0.0.1:{port}, its file in {_shorten(self._directory / 'redis')}")

    def start_hosts(self, count: int) -> None:
        """Start the simulated hosts and import them into the inventory."""
        key = self._directory / "keys" / "id_ed25519"
        _make_key(key)
        inventory = self._directory / "inventory.yaml"
        options = ["--root", str(self._directory / "hosts"), "--count", str(count), "--inventory", str(inventory)]
        command = [sys.executable, "-m", "demo.hosts", "--authorized-key", str(key.with_suffix(".pub")), *options]
        self._supervisor.start("hosts", command, self._environment)
        self._wait_for(inventory.exists, "hosts")
        self._run_command("hosts", "import", str(inventory))
        self._environment["OCPFLEET_SSH_KEYS"] = json.dumps([str(key)])
        for number in range(count):
            home = self._directory / "hosts" / f"host-{number + 1}" / "home" / "admin" / "ocp_agent"
            self._agents[1001 + number] = StandInAgent(home)
        self._say(f"hosts: {count} simulated, each with an sshd and an agent of three processes")

    def start_processes(self, workers: int) -> None:
        """Start API, workers and Flower."""
        environment = self._environment
        environment |= {
            "OCPFLEET_API_HOST": "127.0.0.1",
            "OCPFLEET_API_PORT": str(self._api_port),
            "OCPFLEET_FLOWER_PORT": str(self._flower_port),
            "OCPFLEET_ADMIN_PASSWORD_FILE": str(self._directory / "admin-password"),
            "OCPFLEET_KEY_FILE": str(self._directory / "key-encryption-key"),
            "OCPFLEET_FLOWER_PASSWORD_FILE": str(self._directory / "admin-password"),
            "OCPFLEET_FLOWER_USER": USER,
            "OCPFLEET_FLOWER_DB": str(self._directory / "flower"),
            "OCPFLEET_TASK_EVENTS": "true",
        }
        executable = str(Path(sys.executable).with_name("ocpfleet"))
        self._supervisor.start("api", [executable, "api"], environment, restarted=True)
        for number in range(1, workers + 1):
            named = {**environment, "OCPFLEET_WORKER_NAME": f"worker-{number}"}
            self._supervisor.start(f"worker-{number}", [executable, "worker"], named, restarted=True)
        self._wait_for((self._directory / "admin-password").exists, "api")
        self._supervisor.start("flower", [executable, "flower"], environment, restarted=True)

    def finish(self) -> Stack:
        """Wait until all parts answer, and return their addresses."""
        api = f"http://127.0.0.1:{self._api_port}"
        self._wait_for(lambda: _get_status(f"{api}/readyz") == httpx.codes.OK, "api")
        self._say(f"api: {api}, with its workers ready")
        flower = f"http://127.0.0.1:{self._flower_port}"
        self._wait_for(lambda: _get_status(f"{flower}/healthcheck") == httpx.codes.OK, "flower")
        facts = Facts(
            api=api,
            user=USER,
            password=(self._directory / "admin-password").read_text().strip(),
            flower=flower,
            redis=self._environment["OCPFLEET_REDIS_URL"],
            hosts=tuple(self._agents),
        )
        return Stack(facts, self._agents, self._supervisor)

    def _run_command(self, *words: str) -> None:
        executable = str(Path(sys.executable).with_name("ocpfleet"))
        done = subprocess.run(
            [executable, *words], env=self._environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        if done.returncode:
            raise ChildFailedError(f"ocpfleet {' '.join(words)} failed:\n{done.stdout}{done.stderr}")

    def _wait_for(self, ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not ready():
            for line in self._supervisor.watch():
                self._say(line)
            if time.monotonic() > deadline:
                log = self._directory / "logs" / f"{name}.log"
                raise ChildFailedError(f"{name} did not come up within {_PATIENCE:g} s; its output is {log}")
            time.sleep(0.05)


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _get_status(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return None


def _shorten(path: Path) -> str:
    return os.path.relpath(path)


def _make_key(path: Path) -> None:
    """Make the workers' SSH key, unless it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="ocpfleet demo")
        write_private(path, key.export_private_key())
        key.write_public_key(str(path.with_suffix(".pub")))
