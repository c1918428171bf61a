"""Makes the executor that the settings of a worker process name."""

from collections.abc import Callable
from typing import assert_never

import structlog

from core.errors import Misconfigured
from infra.settings import WorkerSettings
from workers.executor.base import Executor
from workers.executor.local import LocalExecutor
from workers.executor.ssh.executor import PinCallback, SshExecutor
from workers.executor.ssh.options import SshOptions
from workers.executor.stub.executor import StubExecutor

log = structlog.get_logger(__name__)


def make_executor(settings: WorkerSettings, pin: PinCallback, may_send: Callable[[], bool]) -> Executor:
    """Return the executor that the settings name.

    Args:
        settings: the worker's.
        pin: stores the host key that was seen on first use, where that is trusted.
        may_send: says whether this process may send a command just now.

    Raises:
        Misconfigured: a private key cannot be read.
    """
    match settings.executor:
        case "ssh":
            return _make_ssh(settings, pin, may_send)
        case "local":
            return LocalExecutor()
        case "stub":
            log.warning("OCPFLEET_EXECUTOR=stub: no host is contacted, all work on hosts is simulated")
            return StubExecutor(settings.stub_delay, wedged_every=settings.stub_wedged)
        case _:
            assert_never(settings.executor)


def _make_ssh(settings: WorkerSettings, pin: PinCallback, may_send: Callable[[], bool]) -> Executor:
    try:
        return SshExecutor(_make_ssh_options(settings), pin, may_send)
    except (ValueError, OSError) as error:
        raise Misconfigured(
            f"The worker cannot log in to any host: {error}. "
            "Set OCPFLEET_SSH_KEYS to private keys that it can read, or OCPFLEET_SSH_AGENT to true."
        ) from error


def _make_ssh_options(settings: WorkerSettings) -> SshOptions:
    return SshOptions(
        client_keys=settings.ssh_keys,
        use_agent=settings.ssh_agent,
        passphrase_file=settings.ssh_key_passphrase_file,
        connect_timeout=settings.ssh_connect_timeout,
        login_timeout=settings.ssh_login_timeout,
        close_timeout=settings.ssh_close_timeout,
        trust_on_first_use=settings.trust_on_first_use,
    )
