"""SSH host keys, by way of the workers' connector, which is imported only where a key is at hand."""


def fingerprint(key: str) -> str:
    """Return a public key's fingerprint: `SHA256:…`.

    Raises:
        ValueError: the text is no public key in OpenSSH's one-line form.
    """
    from workers.executor.ssh import executor as ssh

    return ssh.fingerprint(key)


async def fetch(address: str, port: int, timeout: float) -> str:
    """Return the key that a host shows, without logging in.

    Args:
        address: the host's IP address.
        port: its sshd's TCP port.
        timeout: seconds for all of it.

    Raises:
        HostKeyUnknown: the host showed none; the sentence says why.
    """
    from workers.executor.base import ConnectionFailed
    from workers.executor.ssh import executor as ssh

    try:
        return await ssh.fetch_host_key(address, port, timeout)
    except ConnectionFailed as error:
        raise HostKeyUnknown(error.outcome.sentence()) from error


class HostKeyUnknown(Exception):
    """A host showed no key."""
