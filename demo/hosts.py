"""Simulated hosts: many SSH servers in one process, each with a loopback address and an agent of its own.

``python -m demo.hosts`` starts them, writes their inventory, and runs until SIGTERM or SIGINT. Then it stops everything
that it started.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from demo.agents import Pace, StandInAgent, StandInError, destroy_under
from demo.processes import die_with_parent
from demo.simulated_sshd import SimulatedSshd

if TYPE_CHECKING:
    from types import TracebackType

FIRST_ID = 1001
"""The id of the first simulated host; the ids of the others follow."""

_FIRST_ADDRESS = IPv4Address("127.20.0.1")
MAX_STARTS = 64
"""Hosts that start at a time."""


@dataclass(frozen=True, slots=True)
class SimulatedHost:
    """One host of the simulation.

    Attributes:
        id: Its id in the inventory, from 1001.
        alias: "demo-1" and so on.
        sshd: Its SSH server.
        agent: Its agent.
    """

    id: int
    alias: str
    sshd: SimulatedSshd
    agent: StandInAgent

    def to_entry(self) -> dict[str, str | int]:
        """Return its entry for an inventory file."""
        return {
            "id": self.id,
            "alias": self.alias,
            "innerIpAddress": self.sshd.address,
            "sshPort": self.sshd.port,
            "sshUser": self.sshd.user,
            "agentHome": str(self.agent.home),
            "agentPrefix": self.agent.prefix,
            "hostKey": self.sshd.host_key,
        }


@dataclass(slots=True)
class SimulatedFleet:
    """Hosts that run while the context lasts; leaving it kills their agents.

    Attributes:
        root: The directory of the hosts' directories. Hosts of an earlier run are removed first.
        count: The number of hosts.
        authorized_key: The client key that they accept, as an OpenSSH public key line.
        user: The user name that they accept.
        pace: The times of their agents.
        start_agents: Whether their agents run when the context begins.
        hosts: The hosts, in the order of their ids; empty outside the context.
    """

    root: Path
    count: int
    authorized_key: str
    user: str = "admin"
    pace: Pace = field(default_factory=Pace)
    start_agents: bool = True
    hosts: list[SimulatedHost] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(_clear, self.root)
        try:
            limit = asyncio.Semaphore(MAX_STARTS)
            async with asyncio.TaskGroup() as making:
                for index in range(self.count):
                    making.create_task(self._make(index, limit))
        except BaseException:
            await self._close()
            raise
        self.hosts.sort(key=lambda host: host.id)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def write_inventory(self, path: Path) -> None:
        """Write the hosts to an inventory file in YAML. A reader never sees a half-written file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(yaml.safe_dump([host.to_entry() for host in self.hosts], sort_keys=False))
        beside.replace(path)

    async def _make(self, index: int, limit: asyncio.Semaphore) -> None:
        directory = self.root.resolve() / f"host-{index + 1}"
        home = directory / "home" / "admin"
        async with limit:
            agent = await asyncio.to_thread(StandInAgent.install, home / "ocp_agent", pace=self.pace)
            sshd = SimulatedSshd(str(_FIRST_ADDRESS + index), self.user, self.authorized_key, directory, home)
            await sshd.start()
            self.hosts.append(SimulatedHost(FIRST_ID + index, f"demo-{index + 1}", sshd, agent))
            if self.start_agents:
                await _start(agent)

    async def _close(self) -> None:
        await asyncio.gather(*(host.sshd.stop() for host in self.hosts))
        await asyncio.to_thread(destroy_under, self.root)
        self.hosts = []


async def _start(agent: StandInAgent) -> None:
    starting = await asyncio.create_subprocess_exec(
        agent.agentctl,
        "start",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await starting.communicate()
    if starting.returncode:
        raise StandInError(f"{agent.home} did not start: {error.decode(errors='replace')}")


def _clear(root: Path) -> None:
    destroy_under(root)
    for left in root.glob("host-*/home/admin/ocp_agent"):
        shutil.rmtree(left.parents[2])


async def _serve(fleet: SimulatedFleet, inventory: Path) -> None:
    """Run the fleet until SIGTERM or SIGINT, even if the signal comes while the fleet starts."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    run = asyncio.create_task(_run(fleet, inventory))
    wait = asyncio.create_task(stop.wait())
    await asyncio.wait({run, wait}, return_when=asyncio.FIRST_COMPLETED)
    wait.cancel()
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run


async def _run(fleet: SimulatedFleet, inventory: Path) -> None:
    async with fleet:
        fleet.write_inventory(inventory)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Read the command line and run the fleet until a signal stops it."""
    parser = argparse.ArgumentParser(prog="python -m demo.hosts", description="Simulated hosts with agents, over SSH.")
    parser.add_argument("--root", type=Path, required=True, help="the directory of the hosts' directories")
    parser.add_argument("--count", type=int, default=3, help="the number of hosts (default: 3)")
    parser.add_argument("--authorized-key", type=Path, required=True, help="the file with the client's public key")
    parser.add_argument("--user", default="admin", help="the user name that the hosts accept (default: admin)")
    parser.add_argument("--inventory", type=Path, required=True, help="the inventory file to write when all hosts run")
    parser.add_argument("--die-with-parent", action="store_true", help="stop when the process that started this ends")
    options = parser.parse_args()
    if options.die_with_parent:
        die_with_parent()
    options.inventory.unlink(missing_ok=True)  # that of an earlier run has other ports
    fleet = SimulatedFleet(options.root, options.count, options.authorized_key.read_text(), options.user)
    # Not uvloop: its children inherit copies of their pipes, and an agent would keep these open for ever.
    asyncio.run(_serve(fleet, options.inventory))


if __name__ == "__main__":
    main()
