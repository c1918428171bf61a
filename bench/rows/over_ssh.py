"""Stops over real SSH, against the least that one can do, and against what people use."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench import sshd
from bench import system as fleet
from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.peers import Peers
from bench.usage import Used, run_measured
from workers.agent.host.commands import stop_command

_WARM_UP = 8
"""Hosts of a first task that is not measured."""
_FANOUT = 64
"""Hosts that ClusterShell works on at a time, as people have it do."""


@dataclass(slots=True)
class _Taken:
    """What was measured of one client, a figure for each round."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def add(self, wall: float, cpu: float) -> None:
        self.wall_s.append(wall)
        self.cpu_s.append(cpu)

    @property
    def wall(self) -> float:
        return median(self.wall_s)

    @property
    def cpu(self) -> float:
        return median(self.cpu_s)

    def raw(self, name: str, hosts: int) -> dict[str, object]:
        return {f"{name}_wall_s": self.wall_s, f"{name}_cpu_ms_per_host": [1000 * cpu / hosts for cpu in self.cpu_s]}


def measure(bench: Bench) -> Sequence[Finding]:
    """Stop agents over SSH: the floor and we in turn, then the peers."""
    sizes, place = bench.sizes, bench.directory / "over-ssh"
    with sshd.running(place / "hosts", sizes.some) as hosts:
        floor, same, ours = _Taken(), _Taken(), _Taken()
        limits = {"OCPFLEET_MAX_IN_FLIGHT": str(sizes.in_flight), **sshd.PATIENT}
        with fleet.running(
            place / "fleet", workers=bench.workers, key=hosts.key.private, patience=sizes.patience, settings=limits
        ) as system:
            system.add_hosts(hosts.targets())
            system.timed(range(1, min(_WARM_UP, sizes.some) + 1))
            for _ in range(sizes.rounds):
                _floor(bench, hosts, [sshd.STOP], floor)
                before = system.cpu()
                wall = system.timed(range(1, sizes.some + 1), pause=0.1)
                ours.add(wall, system.cpu() - before)
            _floor(bench, hosts, [stop_command(hosts.targets()[0]).render()], same)
        raw: dict[str, object] = {"hosts": sizes.some, "in_flight": sizes.in_flight}
        raw |= ours.raw("ours", sizes.some) | floor.raw("floor", sizes.some) | same.raw("floor_our_way", sizes.some)
        what = f"stop {sizes.some:,} hosts over SSH"
        findings = [
            Finding(f"{what}: wall against the asyncssh floor", Goal(1.15, "x"), ours.wall / floor.wall, raw),
            Finding("…: CPU of API, worker and store against the floor's", Goal(2, "x"), ours.cpu / floor.cpu, raw),
        ]
        return [*findings, *(_against_peers(bench, hosts, ours) if bench.peers else ())]


def _floor(bench: Bench, hosts: sshd.SshHosts, commands: Sequence[str], taken: _Taken) -> None:
    """Run commands by the floor's program, and take what it says of itself."""
    plan, log = bench.directory / "floor.json", bench.directory / "floor.log"
    told = {
        "user": hosts.user,
        "key": str(hosts.key.private),
        "in_flight": bench.sizes.in_flight,
        "commands": commands,
        "hosts": [[target.address, target.port, target.host_key] for target in hosts.targets()],
    }
    plan.write_text(json.dumps(told))
    used = json.loads(run_measured([sys.executable, "-m", "bench.floor", str(plan)], log).output)
    taken.add(used["wall_s"], used["cpu_s"])


def _against_peers(bench: Bench, hosts: sshd.SshHosts, ours: _Taken) -> list[Finding]:
    peers, place = Peers.installed(bench.directory / "venv"), bench.directory / "peers"
    ansible = peers.ansible(hosts, place / "ansible", bench.sizes.forks)
    clush = peers.clustershell(hosts, place / "clustershell", _FANOUT)
    raw = _used("ansible", ansible, bench.sizes.some) | _used("clustershell", clush, bench.sizes.some)
    what = f"…: {{}} against ansible-playbook, {bench.sizes.forks} forks"
    return [
        Finding(what.format("wall"), Goal(0.4, "x"), ours.wall / ansible.wall_s, raw),
        Finding(what.format("CPU"), Goal(0.1, "x"), ours.cpu / ansible.cpu_s, raw),
    ]


def _used(name: str, used: Used, hosts: int) -> dict[str, object]:
    return {f"{name}_wall_s": used.wall_s, f"{name}_cpu_ms_per_host": 1000 * used.cpu_s / hosts}
