"""The whole system as real processes for one test: an embedded server, an API, workers, and hosts to work on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from core.host import Target
from demo.agents import Pace, StandInAgent
from demo.keys import make_key_pair
from demo.openssh import OpenSshServer
from demo.ports import reserve_port
from demo.supervisor import Supervisor
from infra import embedded
from infra.settings import SharedSettings
from infra.store import Store
from infra.store.host_values import HostEntry
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from demo.keys import KeyPair
    from demo.supervisor import Child

BRISK = Pace(
    monagent_linger=0.2, final_wait=1.0, query_wait=1.0, notice=0.2, request_wait=2.0, poll=0.1, exit_polls=100
)
"""Agents that do as real ones do, sooner; their control program looks more often, and gives up as late as theirs."""
FEW_AT_A_TIME = {
    "OCPFLEET_EXECUTOR": "stub",
    "OCPFLEET_STUB_DELAY": "0.5",
    "OCPFLEET_MAX_IN_FLIGHT": "2",
    "OCPFLEET_MAX_LANES": "2",
    "OCPFLEET_REDIS_TIMEOUT": "2",
}
"""Settings with which two workers are at a task of fifty hosts for more than six seconds: time for a fault."""
STOP = "Stop all OCP agent processes"
Json = dict[str, Any]


@dataclass(slots=True)
class System:
    """A running system. Everything it started ends with the context of `running`."""

    directory: Path
    supervisor: Supervisor
    environment: dict[str, str]
    key: KeyPair
    api: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)
    redis: Child | None = None
    workers: dict[str, Child] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """The `ocpfleet` command."""
        return _program()

    @property
    def settings(self) -> SharedSettings:
        """What all its processes share."""
        return SharedSettings(redis_url=self.environment["OCPFLEET_REDIS_URL"])

    @property
    def client_environment(self) -> dict[str, str]:
        """The environment of a command that speaks to the newest API as the first administrator."""
        password = (self.directory / "admin-password").read_text().strip()
        return self.environment | {
            "OCPFLEET_API_URL": self.api,
            "OCPFLEET_API_USER": "admin",
            "OCPFLEET_API_PASSWORD": password,
        }

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Its record, reached from the test itself."""
        store = Store.at(self.settings.redis_url, self.settings.store_options)
        try:
            yield store
        finally:
            await store.aclose()

    def start_worker(self, name: str, *, newer: bool = False, **environment: str) -> Child:
        """Start one more worker process, of this code or of a newer one (`tests.support.newer`)."""
        named = {**self.environment, "OCPFLEET_WORKER_NAME": name, **environment}
        self.workers[name] = self.supervisor.start(name, [*_code(newer=newer), "worker"], named)
        return self.workers[name]

    def start_api(self, name: str = "api", *, newer: bool = False, **more: str) -> Child:
        """Start an API process and log in as the first administrator; the client speaks to the newest one."""
        self.client.close()
        port = reserve_port()
        password = self.directory / "admin-password"
        environment = self.environment | {
            "OCPFLEET_API_PORT": str(port),
            "OCPFLEET_ADMIN_PASSWORD_FILE": str(password),
            **more,
        }
        child = self.supervisor.start(name, [*_code(newer=newer), "api"], environment)
        self.api = f"http://127.0.0.1:{port}"
        wait_until(lambda: self._status("/healthz") == httpx.codes.OK, 30, f"the API to answer: {child.log}")
        auth = ("admin", password.read_text().strip())
        self.client = httpx.Client(base_url=f"{self.api}/api/v2", auth=auth, timeout=30)
        return child

    def ready(self) -> None:
        """Wait until the API says that workers are at work."""
        wait_until(lambda: self._status("/readyz") == httpx.codes.OK, 60, "the system to be ready")
        wait_until(self._all_alive, 60, "all workers to be alive")

    def _all_alive(self) -> bool:
        return all("ready." in child.log.read_text() for child in self.workers.values())

    def _status(self, path: str) -> int:
        try:
            return httpx.get(f"{self.api}{path}", timeout=10).status_code
        except httpx.TransportError:
            return 0

    async def add_hosts(self, targets: Sequence[Target]) -> None:
        """Bring hosts into the inventory."""
        async with self.store() as store:
            await store.hosts.put([HostEntry(target, None) for target in targets], 0)

    def command(self, *words: str, given: str = "") -> str:
        """Run the `ocpfleet` command, which must succeed, with something on its standard input; return what it said."""
        done = subprocess.run(
            [self.program, *words],
            env=self.client_environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def user(self, name: str, *roles: str) -> Iterator[httpx.Client]:
        """Add a user by the command line; return a client with its password."""
        chosen = [word for role in roles for word in ("--role", role)]
        self.command("user", "add", name, *chosen, "--password-stdin", given=f"{name}-password\n")
        auth = (name, f"{name}-password")
        with httpx.Client(base_url=f"{self.api}/api/v2", auth=auth, timeout=30) as client:
            yield client

    def post(self, path: str) -> httpx.Response:
        """Ask for a change of a task, which must be done; the path goes on after `/tasks/instances/`."""
        reply = self.client.post(f"/tasks/instances/{path}")
        assert reply.status_code == httpx.codes.OK, reply.text
        return reply

    def get(self, path: str) -> httpx.Response:
        """Ask the API something that is not under its prefix, without credentials."""
        return httpx.get(f"{self.api}{path}", timeout=30)

    def submit(self, host_ids: Sequence[int]) -> httpx.Response:
        """Ask for a batch stop."""
        return self.client.post("/compute/hosts/batchStopAgents", json={"hostIds": list(host_ids)})

    def stop(self, host_ids: Sequence[int]) -> Json:
        """Ask for a batch stop that must be accepted; return its task."""
        reply = self.submit(host_ids)
        assert reply.status_code == httpx.codes.OK, reply.text
        task: Json = reply.json()["data"]
        return task

    def task(self, task_id: int) -> Json:
        """Return a task as it stands."""
        reply = self.client.get(f"/tasks/instances/{task_id}")
        assert reply.status_code == httpx.codes.OK, reply.text
        task: Json = reply.json()["data"]
        return task

    def ended(self, task_id: int, timeout: float = 60) -> Json:
        """Wait until a task has ended; return it."""
        wait_until(
            lambda: self.task(task_id)["status"] != "RUNNING",
            timeout,
            f"task {task_id} to end",
            pause=0.05,  # what looks less often leaves more of the machine to what is looked at
        )
        return self.task(task_id)

    def log(self, task_id: int, subtask_id: int) -> str:
        """Return the log of a subtask."""
        text: str = self.client.get(f"/tasks/instances/{task_id}/subtasks/{subtask_id}/log").json()["data"]["log"]
        return text


@contextmanager
def running(directory: Path, *, workers: int = 2, store: str = "", **environment: str) -> Iterator[System]:
    """Start a system.

    Args:
        directory: where everything goes.
        workers: how many worker processes run.
        store: the address of a store that the caller started; the embedded server is then the broker alone.
        environment: more settings for all processes, by their full names.
    """
    with Supervisor(directory / "logs") as supervisor:
        port, password = reserve_port(), embedded.make_password()
        command = embedded.prepare(directory / "redis", port, password)
        key = make_key_pair(directory / "keys")
        settings = {
            **os.environ,
            "OCPFLEET_REDIS_URL": store or embedded.url(port, password),
            "OCPFLEET_SSH_KEYS": json.dumps([str(key.private)]),
            "OCPFLEET_KEY_FILE": str(directory / "key-encryption-key"),
            **({"OCPFLEET_BROKER_URL": embedded.url(port, password, 1)} if store else {}),
            **environment,
        }
        system = System(directory, supervisor, settings, key)
        system.redis = redis = supervisor.start("redis", command, settings)
        wait_until(lambda: redis.has_said(embedded.LISTENING), 20, "the embedded server to listen")
        for number in range(1, workers + 1):
            system.start_worker(f"worker-{number}")
        system.start_api()
        system.ready()
        try:
            yield system
        finally:
            system.client.close()


def _program() -> str:
    return str(Path(sys.executable).with_name("ocpfleet"))


def _code(*, newer: bool) -> list[str]:
    return [sys.executable, "-m", "tests.support.newer"] if newer else [_program()]


def of_step(task: Json, name: str) -> list[Json]:
    """Return a task's subtasks of one step, in the order of their hosts."""
    chosen = (subtask for subtask in task["subtasks"] if subtask["name"] == name)
    return sorted(chosen, key=lambda subtask: int(subtask["seriesId"]))


def stops_done(system: System, task_id: int) -> int:
    """Return on how many of a task's hosts the stop is done."""
    return sum(subtask["status"] == "SUCCESSFUL" for subtask in of_step(system.task(task_id), STOP))


def statuses(task: Json) -> dict[str, list[str]]:
    """Return the statuses of a task's subtasks, in plan order, by their place and name."""
    found: dict[str, list[str]] = {}
    previous = None
    for subtask in sorted(task["subtasks"], key=lambda subtask: int(subtask["seriesId"])):
        if previous != subtask["name"]:
            place = f"{len(found)} {subtask['name']}"
        found.setdefault(place, []).append(subtask["status"])
        previous = subtask["name"]
    return found


def stub_target(host_id: int) -> Target:
    """Return a host that only the stub executor can reach."""
    return Target(host_id, "10.0.0.1", 22, "admin", "/home/admin/ocp_agent", "ocp", sudo=False, host_key=None)


@dataclass(frozen=True, slots=True)
class RealHosts:
    """Hosts with real processes, behind one real OpenSSH server."""

    sshd: OpenSshServer
    agents: dict[int, StandInAgent]
    targets: dict[int, Target]

    def connections(self, host_id: int) -> int:
        """Return how often the server of a host was connected to, as its own log has it."""
        target = self.targets[host_id]
        return self.sshd.log.count(f" on {target.address} port {target.port} ")


@contextmanager
def real_hosts(
    directory: Path, key: KeyPair, count: int, *, pace: Pace = BRISK, first_id: int = 1
) -> Iterator[RealHosts]:
    """Start an OpenSSH server on several addresses and `count` agents, each its host's own."""
    addresses = [f"127.31.0.{number}" for number in range(1, min(count, 16) + 1)]
    with OpenSshServer(directory / "sshd", [key.line], addresses) as sshd:
        agents: dict[int, StandInAgent] = {}
        targets: dict[int, Target] = {}
        try:
            for number in range(count):
                host_id = first_id + number
                agent = StandInAgent.install(directory / f"host-{host_id}" / "ocp_agent", pace=pace)
                agents[host_id] = agent
                address = addresses[number % len(addresses)]
                targets[host_id] = Target(
                    host_id, address, sshd.port, sshd.user, str(agent.home), "ocp", sudo=False, host_key=sshd.host_key
                )
            start_all(agents.values())
            yield RealHosts(sshd, agents, targets)
        finally:
            for agent in agents.values():
                agent.destroy()


def start_all(agents: Iterable[StandInAgent]) -> None:
    """Start agents, several at a time."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda agent: agent.start(), agents))
