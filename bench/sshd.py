"""A thousand hosts on loopback: real OpenSSH daemons of 16 addresses each, and behind all of them one stand-in agent.

The stand-in holds no state and starts no process: the daemon's ForceCommand has the login shell answer by itself.
To a look it says that no process of the agent is alive, to anything else what the agent's control program says when it
did what it was told; to ocpfleet's stop, which is a look, the agent's own stop and a look in one command, all of that.
"""

import getpass
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from core.host import Target
from demo.keys import KeyPair, make_key_pair
from demo.openssh import OpenSshServer
from demo.ports import free_port

AGENT_HOME = "/bench/ocp_agent"
"""Where the agents are said to be."""
SLOW_HOME = "/bench/slow"
"""Where agents are said to be that take their time over a stop."""
STOP = f"{AGENT_HOME}/bin/ocp_agentctl stop"
"""The command that the peers run, and ours around it."""
PATIENT = {
    "OCPFLEET_SSH_CONNECT_TIMEOUT": "120",
    "OCPFLEET_SSH_LOGIN_TIMEOUT": "120",
    "OCPFLEET_COMMAND_TIMEOUT": "120",
}
"""Settings for workers: daemons, agents and clients share one machine here, so a connection may wait for its turn."""

_FIRST = IPv4Address("127.41.0.1")
_A_DAEMON = 16
"""Addresses that one daemon takes at the most."""
_STARTING = 8
"""Daemons that are started at a time."""
_LOOK = """echo "ocpfleet: look\""""
_END = """echo "ocpfleet: end\""""
_OK = r"""{"successful":true,"message":"ok","error":""}"""


@dataclass(frozen=True, slots=True)
class SshHosts:
    """Hosts that answer over SSH while the context of `running` lasts."""

    addresses: tuple[str, ...]
    host_keys: tuple[str, ...]
    """Each host's public key as one line."""
    port: int
    """The same for all of them."""
    user: str
    key: KeyPair
    """The client's."""

    def targets(self, home: str = AGENT_HOME) -> list[Target]:
        """Return them as hosts of the inventory, with the ids from 1 on."""
        return [
            Target(number, address, self.port, self.user, home, "ocp", sudo=False, host_key=host_key)
            for number, (address, host_key) in enumerate(zip(self.addresses, self.host_keys, strict=True), 1)
        ]

    def write_known_hosts(self, path: Path) -> None:
        """Write their keys the way that OpenSSH's client reads them."""
        pairs = zip(self.addresses, self.host_keys, strict=True)
        path.write_text("".join(f"[{address}]:{self.port} {host_key}\n" for address, host_key in pairs))


@contextmanager
def running(directory: Path, count: int, *, slow_stop: float = 0.0) -> Iterator[SshHosts]:
    """Start daemons for so many hosts, and stop them at the end.

    Args:
        directory: where their files go.
        count: how many hosts.
        slow_stop: seconds that a stop takes at the agents in `SLOW_HOME`.
    """
    key, addresses = make_key_pair(directory), [str(_FIRST + number) for number in range(count)]
    port = free_port(addresses=addresses)
    with ExitStack() as stack:
        daemons = [
            OpenSshServer(directory / f"sshd-{first}", [key.line], some, _settings(slow_stop), port)
            for first in range(0, count, _A_DAEMON)
            if (some := addresses[first : first + _A_DAEMON])
        ]
        with ThreadPoolExecutor(_STARTING) as pool:
            list(pool.map(stack.enter_context, daemons))
        host_keys = tuple(daemon.host_key for daemon in daemons for _ in daemon.addresses)
        yield SshHosts(tuple(addresses), host_keys, port, getpass.getuser(), key)


def _stop(wait: str) -> str:
    """Return what answers our stop command."""
    return f"""{_LOOK}; echo "ocpfleet: call"; {wait}; echo '{_OK}'; echo; echo "ocpfleet: status 0"; {_LOOK}; {_END}"""


def _settings(slow_stop: float) -> Sequence[str]:
    answers = (
        f"""*ocpfleet-stop*{SLOW_HOME}/*) {_stop(f"sleep {slow_stop:g}")} ;;"""
        f""" *ocpfleet-stop*) {_stop(":")} ;;"""
        f""" *ocpfleet-look*) {_LOOK}; {_END} ;;"""
        f""" *) echo '{_OK}' ;;"""
    )
    return (
        f"""ForceCommand case "$SSH_ORIGINAL_COMMAND" in {answers} esac""",
        "LogLevel ERROR",
        "LoginGraceTime 600",
        "SetEnv HOME=/nonexistent SHLVL=2",  # keeps bash from reading start files, which can do anything
        "UseDNS no",
    )
