"""Stops over real SSH, against the asyncssh floor and against other programs."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench import sshd
from bench.bench import Bench
from bench.finding import Finding, Goal
from bench.peers import Peers
from bench.system import run_system
from bench.usage import Used, run_measured
from workers.agent.host.commands import build_stop_command

_WARM_UP = 8
"""Hosts of a first task, which is not measured."""
_FANOUT = 64
"""Hosts that ClusterShell works on at a time: its default."""


@dataclass(slots=True)
class _Figures:
    """The figures of one client, one per round."""

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

    def to_raw(self, name: str, hosts: int) -> dict[str, object]:
        return {f"{name}_wall_s": self.wall_s, f"{name}_cpu_ms_per_host": [1000 * cpu / hosts for cpu in self.cpu_s]}


def measure(bench: Bench) -> Sequence[Finding]:
    """Stop agents over SSH with the floor and ocpfleet in turn, then with other programs."""
    sizes, place = bench.sizes, bench.directory / "over-ssh"
    with sshd.run_hosts(place / "hosts", sizes.some) as hosts:
        floor, same, ours = _Figures(), _Figures(), _Figures()
        limits = {"OCPFLEET_MAX_IN_FLIGHT": str(sizes.in_flight), **sshd.PATIENT}
        with run_system(
            place / "fleet", workers=bench.workers, key=hosts.key.private, patience=sizes.patience, settings=limits
        ) as system:
            system.add_hosts(hosts.make_targets())
            system.time_stop(range(1, min(_WARM_UP, sizes.some) + 1))
            for _ in range(sizes.rounds):
                _run_floor(bench, hosts, [sshd.STOP], floor)
                before = system.measure_cpu()
                wall = system.time_stop(range(1, sizes.some + 1), pause=0.1)
                ours.add(wall, system.measure_cpu() - before)
            _run_floor(bench, hosts, [build_stop_command(hosts.make_targets()[0]).render()], same)
        raw: dict[str, object] = {"hosts": sizes.some, "in_flight": sizes.in_flight}
        raw |= (
            ours.to_raw("ours", sizes.some)
            | floor.to_raw("floor", sizes.some)
            | same.to_raw("floor_our_way", sizes.some)
        )
        what = f"stop {sizes.some:,} hosts over SSH"
        findings = [
            Finding(f"{what}: wall against the asyncssh floor", Goal(1.15, "x"), ours.wall / floor.wall, raw),
            Finding("…: CPU of API, worker and store against the floor's", Goal(2, "x"), ours.cpu / floor.cpu, raw),
        ]
        return [*findings, *(_compare_with_peers(bench, hosts, ours) if bench.peers else ())]


def _run_floor(bench: Bench, hosts: sshd.SshHosts, commands: Sequence[str], taken: _Figures) -> None:
    """Run commands with the floor's program, and add the figures that it reports."""
    plan, log = bench.directory / "floor.json", bench.directory / "floor.log"
    told = {
        "user": hosts.user,
        "key": str(hosts.key.private),
        "in_flight": bench.sizes.in_flight,
        "commands": commands,
        "hosts": [[target.address, target.port, target.host_key] for target in hosts.make_targets()],
    }
    plan.write_text(json.dumps(told))
    used = json.loads(run_measured([sys.executable, "-m", "bench.floor", str(plan)], log).output)
    taken.add(used["wall_s"], used["cpu_s"])


def _compare_with_peers(bench: Bench, hosts: sshd.SshHosts, ours: _Figures) -> list[Finding]:
    peers, place = Peers.install(bench.directory / "venv"), bench.directory / "peers"
    ansible = peers.run_ansible(hosts, place / "ansible", bench.sizes.forks)
    clush = peers.run_clustershell(hosts, place / "clustershell", _FANOUT)
    raw = _to_raw("ansible", ansible, bench.sizes.some) | _to_raw("clustershell", clush, bench.sizes.some)
    what = f"…: {{}} against ansible-playbook, {bench.sizes.forks} forks"
    return [
        Finding(what.format("wall"), Goal(0.4, "x"), ours.wall / ansible.wall_s, raw),
        Finding(what.format("CPU"), Goal(0.1, "x"), ours.cpu / ansible.cpu_s, raw),
    ]


def _to_raw(name: str, used: Used, hosts: int) -> dict[str, object]:
    return {f"{name}_wall_s": used.wall_s, f"{name}_cpu_ms_per_host": 1000 * used.cpu_s / hosts}
