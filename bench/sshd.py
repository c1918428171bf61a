"""A thousand hosts on loopback: real OpenSSH daemons with 16 addresses each, and one stand-in for all their agents.

The stand-in has no state and starts no process: the daemon's ForceCommand has the login shell print the answers.
When ocpfleet looks at the agent, the answer is that none of its processes is alive. To any other command, the answer is
the one of the agent's control program after a success. The stop of ocpfleet is a look, the agent's own stop and a
second look in one command; it gets all three answers.
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
from demo.ports import reserve_port

AGENT_HOME = "/bench/ocp_agent"
"""The home of the agents."""
SLOW_HOME = "/bench/slow"
"""The home of agents that are slow to stop."""
STOP = f"{AGENT_HOME}/bin/ocp_agentctl stop"
"""The command that the other programs run, and that our stop command contains."""
PATIENT = {
    "OCPFLEET_SSH_CONNECT_TIMEOUT": "120",
    "OCPFLEET_SSH_LOGIN_TIMEOUT": "120",
    "OCPFLEET_COMMAND_TIMEOUT": "120",
}
"""Settings for workers. Daemons and clients share one machine here, so a connection may have to wait."""

_FIRST = IPv4Address("127.41.0.1")
MAX_ADDRESSES = 16
"""Addresses of one daemon."""
MAX_STARTS = 8
"""Daemons that start at a time."""
_LOOK = """echo "ocpfleet: look\""""
_END = """echo "ocpfleet: end\""""
_OK = r"""{"successful":true,"message":"ok","error":""}"""


@dataclass(frozen=True, slots=True)
class SshHosts:
    """Hosts that answer over SSH while the context of `run_hosts` lasts."""

    addresses: tuple[str, ...]
    host_keys: tuple[str, ...]
    """The public key of each host, as one line."""
    port: int
    """The port of every host."""
    user: str
    key: KeyPair
    """The client's key."""

    def make_targets(self, home: str = AGENT_HOME) -> list[Target]:
        """Return the hosts for the inventory, with ids from 1."""
        return [
            Target(number, address, self.port, self.user, home, "ocp", sudo=False, host_key=host_key)
            for number, (address, host_key) in enumerate(zip(self.addresses, self.host_keys, strict=True), 1)
        ]

    def write_known_hosts(self, path: Path) -> None:
        """Write the host keys in the format of OpenSSH's client."""
        pairs = zip(self.addresses, self.host_keys, strict=True)
        path.write_text("".join(f"[{address}]:{self.port} {host_key}\n" for address, host_key in pairs))


@contextmanager
def run_hosts(directory: Path, count: int, *, slow_stop: float = 0.0) -> Iterator[SshHosts]:
    """Start daemons for hosts, and stop them at the end.

    Args:
        directory: the directory for their files.
        count: the number of hosts.
        slow_stop: seconds of a stop for agents in `SLOW_HOME`.
    """
    key, addresses = make_key_pair(directory), [str(_FIRST + number) for number in range(count)]
    port = reserve_port(addresses=addresses)
    with ExitStack() as stack:
        daemons = [
            OpenSshServer(directory / f"sshd-{first}", [key.line], some, _make_settings(slow_stop), port)
            for first in range(0, count, MAX_ADDRESSES)
            if (some := addresses[first : first + MAX_ADDRESSES])
        ]
        with ThreadPoolExecutor(MAX_STARTS) as pool:
            list(pool.map(stack.enter_context, daemons))
        host_keys = tuple(daemon.host_key for daemon in daemons for _ in daemon.addresses)
        yield SshHosts(tuple(addresses), host_keys, port, getpass.getuser(), key)


def _make_stop_answer(wait: str) -> str:
    """Return shell code that answers our stop command."""
    return f"""{_LOOK}; echo "ocpfleet: call"; {wait}; echo '{_OK}'; echo; echo "ocpfleet: status 0"; {_LOOK}; {_END}"""


def _make_settings(slow_stop: float) -> Sequence[str]:
    answers = (
        f"""*ocpfleet-stop*{SLOW_HOME}/*) {_make_stop_answer(f"sleep {slow_stop:g}")} ;;"""
        f""" *ocpfleet-stop*) {_make_stop_answer(":")} ;;"""
        f""" *ocpfleet-look*) {_LOOK}; {_END} ;;"""
        f""" *) echo '{_OK}' ;;"""
    )
    return (
        f"""ForceCommand case "$SSH_ORIGINAL_COMMAND" in {answers} esac""",
        "LogLevel ERROR",
        "LoginGraceTime 600",
        "SetEnv HOME=/nonexistent SHLVL=2",  # keeps bash from reading start-up files
        "UseDNS no",
    )
