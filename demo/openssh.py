"""A real OpenSSH server for tests: this machine's, or the one that tools/openssh.sh unpacked into var/openssh."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from demo.keys import make_key_pair
from demo.ports import reserve_port
from demo.supervisor import ChildFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_UNPACKED = Path(__file__).resolve().parents[1] / "var" / "openssh" / "root"
_SYSTEM = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
MAX_ADDRESSES = 16  # sshd's own limit of listening sockets
_LIMIT = 10.0  # seconds until it must have started, or ended
_PAUSE = 0.02  # seconds between two polls
_HELPERS = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}  # split off in OpenSSH 9.8 and 10.0


@dataclass(frozen=True, slots=True)
class SshdInstall:
    """A server program, and what it needs to run.

    Attributes:
        path: The program's absolute path, since it executes itself for each connection.
        config: Lines for its configuration file.
        environment: Variables for its environment, in addition to the usual ones.
    """

    path: Path
    config: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def find_sshd() -> SshdInstall:
    """Find a server program. With TEST_SSHD_UNPACK in the environment, this machine's own is ignored.

    Raises:
        FileNotFoundError: There is no server program; the message says how to get one.
    """
    installed = None if os.environ.get("TEST_SSHD_UNPACK") else shutil.which("sshd", path=_SYSTEM)
    if installed is not None:
        return SshdInstall(Path(installed).absolute())
    program = _UNPACKED / "usr" / "sbin" / "sshd"
    if not program.exists():
        raise FileNotFoundError("there is no OpenSSH server to test with; run: sh tools/openssh.sh")
    helpers = {key: _UNPACKED / "usr" / "lib" / "openssh" / name for key, name in _HELPERS.items()}
    libraries = sorted({str(path.parent) for path in _UNPACKED.rglob("*.so*") if not path.is_dir()})
    return SshdInstall(
        program,
        tuple(f"{key} {path}" for key, path in helpers.items() if path.exists()),
        {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {},
    )


class OpenSshServer:
    """One sshd for the current user, on one free port of up to 16 loopback addresses.

    It runs while the context lasts. Its output goes to sshd.log in its directory.

    Args:
        directory: The directory for its files.
        authorized_keys: The client keys that it accepts, as OpenSSH public key lines.
        addresses: The addresses where it listens.
        config: Further lines for its configuration file. They come first, and sshd uses the first of two lines.
        port: The port on each address; 0 for any port that is free on all of them.
    """

    def __init__(
        self,
        directory: Path,
        authorized_keys: Sequence[str],
        addresses: Sequence[str] = ("127.0.0.1",),
        config: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        if not 0 < len(addresses) <= MAX_ADDRESSES:
            raise ValueError(f"one sshd listens on 1 to {MAX_ADDRESSES} addresses, not on {len(addresses)}")
        self.directory = directory
        self.addresses = tuple(addresses)
        self.user = getpass.getuser()
        self.port = port
        self._authorized_keys = authorized_keys
        self._config = config
        self._key = make_key_pair(directory, "host_key")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host_key(self) -> str:
        """Its public host key: "ssh-ed25519 AAAA…", without a comment."""
        return self._key.line

    @property
    def log(self) -> str:
        """Its output so far."""
        path = self.directory / "sshd.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        install = find_sshd()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.port = self.port or reserve_port(addresses=self.addresses)
        configuration = self._write_files(install)
        with (self.directory / "sshd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [install.path, "-D", "-e", "-f", configuration],
                env={**os.environ, **install.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._await()
        except BaseException as error:
            self._stop()
            error.add_note(f"sshd said: {self.log}")
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _write_files(self, install: SshdInstall) -> Path:
        keys = self.directory / "authorized_keys"
        keys.write_text("".join(f"{line}\n" for line in self._authorized_keys))
        lines = [
            *self._config,
            *install.config,
            *(f"ListenAddress {address}:{self.port}" for address in self.addresses),
            f"HostKey {self._key.private}",
            f"AuthorizedKeysFile {keys}",
            "KbdInteractiveAuthentication no",
            "LogLevel VERBOSE",
            "MaxSessions 1000",
            "MaxStartups 1000",
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
        ]
        configuration = self.directory / "sshd_config"
        for more in ("PerSourcePenalties no\n", ""):  # since OpenSSH 9.8; it would shut out tests that connect often
            configuration.write_text("".join(f"{line}\n" for line in lines) + more)
            if _is_valid(install, configuration):
                break
        return configuration

    def _await(self) -> None:
        end = time.monotonic() + _LIMIT
        while not self._is_up():
            if time.monotonic() > end:
                raise ChildFailedError(f"sshd does not listen on port {self.port} after {_LIMIT:g} s")
            time.sleep(_PAUSE)

    def _is_up(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise ChildFailedError(f"sshd ended at once with code {self._process.returncode}")
        return all(_is_listening(address, self.port) for address in self.addresses)

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _is_valid(install: SshdInstall, configuration: Path) -> bool:
    command = [str(install.path), "-t", "-f", str(configuration)]
    return not subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, **install.environment}, timeout=_LIMIT
    ).returncode


def _is_listening(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1) as connection:
            return connection.recv(4).startswith(b"SSH")
    except OSError:
        return False
