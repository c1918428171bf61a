"""What one API process works with, handed to every request."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from app.agents.errand_client import Desk
from app.auth.authenticator import Authenticator
from app.auth.passwords import Passwords
from app.auth.rates import Rates
from app.auth.signature_checker import AccessChecker
from app.auth.vault import Vault
from app.tasks.outbox import Outbox
from app.tasks.watch.hub import Hub
from app.tasks.watch.stream import Pace
from infra.dispatch import Dispatcher
from infra.failpoint import FailpointHook, ignore_failpoint
from infra.settings import InventorySettings
from infra.store import Store


@dataclass(frozen=True, slots=True)
class Fleet:
    """The outside world of an API process, and what it is called there."""

    store: Store
    dispatcher: Dispatcher
    authenticator: Authenticator
    """Checks passwords."""
    access: AccessChecker
    """Checks signatures."""
    passwords: Passwords
    """Hashes new passwords."""
    vault: Vault
    """Encrypts new secret keys."""
    rates: Rates | None
    """Counts requests; None where they are not limited."""
    clock: Callable[[], int]
    """Milliseconds since the epoch."""
    server: str
    """The address of this server, as replies give it."""
    max_hosts: int
    """Most hosts of one request."""
    hub: Hub
    """Where tasks are watched."""
    desk: Desk
    """Where workers are asked to do something on a host while a client waits."""
    inventory: InventorySettings
    """How hosts are reached that a client adds without saying so."""
    withdraws: bool = False
    """Whether a task may be taken back once it is stored, because too few replicas have it: not all are accepted."""
    outbox: Outbox = field(default_factory=Outbox)
    """What is to be published once the replies are out."""
    pace: Pace = field(default_factory=Pace)
    """How often those who watch hear something."""
    reach_failpoint: FailpointHook = ignore_failpoint
    """Called where a crash would hurt most; tests have the process die there."""


def fleet_of(request: Request) -> Fleet:
    """Return what the process that answers a request works with."""
    fleet: Fleet = request.app.state.fleet
    return fleet
