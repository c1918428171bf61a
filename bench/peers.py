"""Other programs that run commands on many hosts, installed into a virtual environment of the benchmark."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.sshd import STOP, SshHosts
from bench.usage import Used, run_measured

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_CLIENT = {
    "KexAlgorithms": "curve25519-sha256",
    "StrictHostKeyChecking": "yes",
    "ControlMaster": "no",
    "IdentitiesOnly": "yes",
}
"""Settings of OpenSSH's client. Without the first each connection costs 59 ms more on Debian 12."""
_PLAYBOOK = f"""\
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - raw: {STOP}
"""


@dataclass(frozen=True, slots=True)
class Peers:
    """The installed programs."""

    environment: Path
    """The virtual environment."""

    @classmethod
    def install(cls, environment: Path) -> "Peers":
        """Install the pinned programs, unless they are installed already.

        Raises:
            subprocess.CalledProcessError: the installation failed.
        """
        stamp, wanted = environment / "installed.txt", _REQUIREMENTS.read_text()
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            install = [str(environment / "bin" / "pip"), "install", "--quiet", "--requirement", str(_REQUIREMENTS)]
            subprocess.run(install, check=True)
            stamp.write_text(wanted)
        return cls(environment)

    def find_program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.environment / "bin" / name)

    def run_ansible(self, hosts: SshHosts, directory: Path, forks: int) -> Used:
        """Run the stop command on all hosts with ansible-playbook: `raw`, no facts, free strategy."""
        directory.mkdir(parents=True, exist_ok=True)
        playbook, inventory, known = (directory / name for name in ("stop.yaml", "inventory.ini", "known_hosts"))
        playbook.write_text(_PLAYBOOK)
        inventory.write_text("".join(f"{address}\n" for address in hosts.addresses))
        hosts.write_known_hosts(known)
        environment = {
            "ANSIBLE_FORKS": str(forks),
            "ANSIBLE_HOME": str(directory / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_PRIVATE_KEY_FILE": str(hosts.key.private),
            "ANSIBLE_REMOTE_PORT": str(hosts.port),
            "ANSIBLE_REMOTE_USER": hosts.user,
            "ANSIBLE_SSH_ARGS": " ".join(_make_options(known)),
        }
        command = [self.find_program("ansible-playbook"), "-i", str(inventory), str(playbook)]
        return run_measured(command, directory / "errors.log", environment=environment)

    def run_clustershell(self, hosts: SshHosts, directory: Path, fanout: int) -> Used:
        """Run the stop command on all hosts with clush."""
        directory.mkdir(parents=True, exist_ok=True)
        known, nodes = directory / "known_hosts", directory / "nodes"
        hosts.write_known_hosts(known)
        nodes.write_text("\n".join(hosts.addresses) + "\n")
        options = " ".join([*_make_options(known), f"-p {hosts.port}", f"-i {hosts.key.private}"])
        command = [self.find_program("clush"), "-S", "-q", "-f", str(fanout), "-l", hosts.user, "-o", options]
        return run_measured([*command, "--hostfile", str(nodes), STOP], directory / "errors.log")


def _make_options(known_hosts: Path) -> list[str]:
    settings = {**_CLIENT, "UserKnownHostsFile": str(known_hosts)}
    return [f"-o {name}={value}" for name, value in settings.items()]
