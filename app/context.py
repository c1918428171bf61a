"""What an API process works with, handed to every request.

It holds only what comes from outside the process, and settings. A service that is built of these belongs to its own
package, which keeps it on `app.state` and reads it with a function of its own, such as `hub_of`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from infra.dispatch import Dispatcher
from infra.failpoint import FailpointHook, ignore_failpoint
from infra.settings import InventorySettings
from infra.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The store, the broker, the clock and the settings of an API process."""

    store: Store
    dispatcher: Dispatcher
    clock: Callable[[], int]
    """Returns milliseconds since the epoch."""
    server_address: str
    """The address of this server, as replies give it."""
    max_hosts: int
    """How many hosts a request may name."""
    inventory: InventorySettings
    """How workers reach a host whose request does not say so."""
    may_withdraw: bool = False
    """Whether a stored task is withdrawn again where too few replicas have it."""
    reach_failpoint: FailpointHook = ignore_failpoint
    """Called where a crash would hurt most. Tests let the process die there."""


def context_of(request: Request) -> Context:
    """Return the context of the process that answers a request."""
    context: Context = request.app.state.context
    return context
