"""SSH host keys, by way of the workers' connector, which is imported only where a key is at hand."""


def fingerprint(key: str) -> str:
    """Return a public key's fingerprint: `SHA256:…`.

    Raises:
        ValueError: the text is no public key in OpenSSH's one-line form.
    """
    from workers.executor.ssh import executor as ssh  # noqa: PLC0415 - slow to import, and most commands see no key

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
    from workers.executor.base import ConnectionFailed  # noqa: PLC0415
    from workers.executor.ssh import executor as ssh  # noqa: PLC0415

    try:
        return await ssh.fetch_host_key(address, port, timeout)
    except ConnectionFailed as error:
        raise HostKeyUnknown(error.outcome.sentence()) from error


class HostKeyUnknown(Exception):  # noqa: N818 - it carries a verdict, it is not a fault of ours
    """A host showed no key."""
