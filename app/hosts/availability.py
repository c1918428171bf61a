"""Refuses requests for hosts that are not free."""

from typing import assert_never

from core.brake import Brake
from core.claim import HeldByOther, Leasing, NotInInventory, Protected
from core.errors import AgentStateInvalid, HostsProtected, NotFound
from core.lease import HostBusy, Leased
from core.text import say


def refuse_unless_leased(answer: Leasing) -> None:
    """Refuse a request that could not lease its hosts.

    Raises:
        AgentStateInvalid: a task or another request has one of them.
        HostsProtected: one of them is protected.
        NotFound: one of them is not in the inventory.
    """
    match answer:
        case Leased():
            return
        case HeldByOther(host_id, holder):
            raise AgentStateInvalid(
                say(
                    "Host {id} is held by task {holder}, so nothing was done. Wait for that task to end, or see "
                    "GET /api/v2/tasks/instances/{holder} for what it needs.",
                    id=host_id,
                    holder=holder,
                )
            )
        case HostBusy():
            raise AgentStateInvalid(
                say(
                    "Nothing was done: another request is working on host {id} {purpose}. It ends within {seconds} s. "
                    "Try again then.",
                    id=answer.host_id,
                    purpose=answer.purpose,
                    seconds=answer.seconds,
                )
            )
        case Protected(host_id):
            raise HostsProtected((host_id,), "hostId")
        case NotInInventory(host_id):
            raise refuse_unknown_host(host_id)
        case _:
            assert_never(answer)


def refuse_while_braked(brake: Brake | None) -> None:
    """Refuse a request that works on a host at once while the fleet's brake is on.

    Raises:
        AgentStateInvalid: the brake is on.
    """
    if brake is not None:
        raise AgentStateInvalid(
            say(
                "The fleet's brake is on ({by}: {reason}), so nothing was done. Try again once it is released "
                "(GET /api/v2/fleet/brake).",
                by=brake.by,
                reason=brake.reason,
            )
        )


def refuse_unknown_host(host_id: int) -> NotFound:
    """Return the error for a host that is not in the inventory."""
    return NotFound(say("There is no host {id} in the inventory. GET /api/v2/compute/hosts lists them.", id=host_id))
