"""Hosts that somebody else has, or that nobody may work on now: the errors that say so."""

from typing import assert_never

from core.brake import Brake
from core.claim import HeldByOther, Leasing, NotInInventory, Protected
from core.errors import AgentStateInvalid, HostsProtected, NotFound
from core.lease import HostBusy, Leased
from core.text import say


def refuse_where_taken(answer: Leasing) -> None:
    """Let a request go on that leased its hosts.

    Raises:
        AgentStateInvalid: a task or another request has one of them.
        NotFound: one is not in the inventory (any more).
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
                    "Nothing was done: a request works on host {id} {purpose}, and ends within {seconds} s. "
                    "Then try again.",
                    id=answer.host_id,
                    purpose=answer.purpose,
                    seconds=answer.seconds,
                )
            )
        case Protected(host_id):
            raise HostsProtected((host_id,), "hostId")
        case NotInInventory(host_id):
            raise no_host(host_id)
        case _:
            assert_never(answer)


def refuse_while_braked(brake: Brake | None) -> None:
    """Let a request go on that works on a host at once, unless the fleet's brake is on.

    Raises:
        AgentStateInvalid: it is.
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


def no_host(host_id: int) -> NotFound:
    """Return the error of a host that is not there."""
    return NotFound(say("There is no host {id} in the inventory. GET /api/v2/compute/hosts lists them.", id=host_id))
