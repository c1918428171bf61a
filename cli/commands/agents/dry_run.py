"""What a stop, restart or start would do: its targets, and the agent's own commands that each host would get. Pure."""

from collections.abc import Iterable
from typing import Final, Literal

from cli.output import Document
from core.host import Target
from workers.agent.host.commands import control_command

Verb = Literal["stop", "restart", "start"]
_CALLS: Final[dict[Verb, tuple[Literal["stop", "start"], ...]]] = {
    "stop": ("stop",),
    "restart": ("stop", "start"),
    "start": ("start",),
}
COLUMNS: Final = ("id", "alias", "address", "user", "held by", "command")


def planned(verb: Verb, hosts: Iterable[Document]) -> list[Document]:
    """Return for each host how it would be reached and what would be called there, secrets masked."""
    return [_planned(verb, target(host), host) for host in hosts]


def target(host: Document) -> Target:
    """Return the target that a worker would work on, from a host of a reply."""
    return Target(
        host_id=int(host["id"]),
        address=host["innerIpAddress"],
        port=host["sshPort"],
        user=host["sshUser"],
        agent_home=host["agentHome"],
        agent_prefix=host["agentPrefix"],
        sudo=host["sudo"],
        host_key=None,
    )


def rows(plan: Iterable[Document]) -> list[tuple[object, ...]]:
    """Return the rows of a table: one for each command."""
    found: list[tuple[object, ...]] = []
    for host in plan:
        held = f"task {host['holderTaskId']}" if host["holderTaskId"] else None
        who = (host["id"], host["alias"], host["address"], host["user"], held)
        for index, command in enumerate(host["commands"]):
            found.append((*(who if not index else (None,) * len(who)), command))
    return found


def _planned(verb: Verb, where: Target, host: Document) -> Document:
    return {
        "id": host["id"],
        "alias": host["alias"],
        "address": where.endpoint,
        "user": where.user,
        "sudo": where.sudo,
        "holderTaskId": host["holderTaskId"],
        "commands": [control_command(where, call).render_masked() for call in _CALLS[verb]],
    }
