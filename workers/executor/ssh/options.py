"""How a worker reaches hosts over SSH, and asyncssh's form of it, prepared once per process."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh

_MAX_KEEPALIVES_MISSED = 3
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How a worker reaches hosts over SSH. Times are in seconds."""

    client_keys: tuple[Path, ...] = ()
    """Private keys to log in with, tried in this order."""
    use_agent: bool = False
    """Also use the keys of the ssh-agent at SSH_AUTH_SOCK."""
    passphrase_file: Path | None = None
    """The file with the passphrase of those keys, where they have one."""
    connect_timeout: float = 10.0
    """For the TCP connection and the key exchange."""
    login_timeout: float = 15.0
    """For the login, from the host key on."""
    close_timeout: float = 2.0
    """For a polite close; after that the connection is cut."""
    keepalive: float = 15.0
    """Between two keepalive messages; after three without an answer the connection is lost."""
    trust_on_first_use: bool = False
    """Accept and pin the key of a host without a pinned key, instead of refusing the host."""


def make_base_options(options: SshOptions) -> asyncssh.SSHClientConnectionOptions:
    """Open the private keys and prepare what all connections share.

    Raises:
        ValueError: there is nothing to log in with, or a key is unusable.
        OSError: a file cannot be read.
    """
    agent = os.environ.get("SSH_AUTH_SOCK") if options.use_agent else None
    if options.use_agent and not agent:
        raise ValueError("an ssh-agent is to be used, but SSH_AUTH_SOCK does not say where one is")
    if not options.client_keys and not agent:
        raise ValueError("SSH needs a private key or an ssh-agent to log in with")
    passphrase = options.passphrase_file.read_text().rstrip("\r\n") if options.passphrase_file else None
    base = make_bare_options(options.keepalive)
    base.client_keys = [pair for path in options.client_keys for pair in _load_key_pairs(path, passphrase)]
    base.agent_path = agent
    return base


def _load_key_pairs(path: Path, passphrase: str | None) -> Sequence[asyncssh.SSHKeyPair]:
    try:
        return asyncssh.load_keypairs(str(path), passphrase)
    except ValueError as error:
        raise ValueError(f"the SSH key {path} cannot be opened: {error}") from error


def make_bare_options(keepalive: float = 0.0) -> asyncssh.SSHClientConnectionOptions:
    """Prepare options without keys: nothing is read from the machine's own SSH settings.

    Args:
        keepalive: seconds between two keepalive messages; 0 for none.
    """
    return asyncssh.SSHClientConnectionOptions(
        config=None,
        known_hosts=([], [], []),  # so that the attempt checks every key: it knows the pinned one
        client_keys=None,
        agent_path=None,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=[],
        preferred_auth="publickey",
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        gss_kex=False,
        gss_auth=False,
        compression_algs=None,
        encryption_algs=[*_CIPHERS, "aes256-ctr", "aes192-ctr", "aes128-ctr"],
        login_timeout=0,
        keepalive_interval=keepalive,
        keepalive_count_max=_MAX_KEEPALIVES_MISSED,
    )
