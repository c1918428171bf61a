"""SSH host keys. The workers' SSH connector is slow to import, so a function imports it when it is called."""


class HostKeyUnknown(Exception):
    """A host did not show a key."""


def fingerprint(key: str) -> str:
    """Return a public key's fingerprint: `SHA256:…`.

    Raises:
        ValueError: the text is not a public key in OpenSSH's one-line form.
    """
    from workers.executor.ssh.host_keys import fingerprint_key

    return fingerprint_key(key)


async def fetch(address: str, port: int, timeout: float) -> str:
    """Return the key that a host shows, without logging in.

    Args:
        address: the host's IP address.
        port: the TCP port of its sshd.
        timeout: seconds for connecting and fetching.

    Raises:
        HostKeyUnknown: the host did not show a key; the message says why.
    """
    from workers.executor.base import HostConnectionError
    from workers.executor.ssh.fetch import fetch_host_key

    try:
        return await fetch_host_key(address, port, timeout)
    except HostConnectionError as error:
        raise HostKeyUnknown(error.outcome.sentence()) from error
