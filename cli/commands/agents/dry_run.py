"""What a stop, restart or start would do on each host: the agent's own commands, and how the host is reached. Pure."""

from collections.abc import Iterable
from typing import Final, Literal

from cli.output import Document
from core.host import Target
from workers.agent.host.commands import build_control_command

Verb = Literal["stop", "restart", "start"]
_CALLS: Final[dict[Verb, tuple[Literal["stop", "start"], ...]]] = {
    "stop": ("stop",),
    "restart": ("stop", "start"),
    "start": ("start",),
}
COLUMNS: Final = ("id", "alias", "address", "user", "held by", "command")


def make_plan(verb: Verb, hosts: Iterable[Document]) -> list[Document]:
    """Return for each host how it would be reached and which commands it would get, with secrets masked."""
    return [_plan_host(verb, to_target(host), host) for host in hosts]


def to_target(host: Document) -> Target:
    """Return a reply's host as a worker's target."""
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


def to_rows(plan: Iterable[Document]) -> list[tuple[object, ...]]:
    """Return the rows of a table, one for each command; only a host's first row describes the host."""
    rows: list[tuple[object, ...]] = []
    for host in plan:
        held = f"task {host['holderTaskId']}" if host["holderTaskId"] else None
        who = (host["id"], host["alias"], host["address"], host["user"], held)
        for index, command in enumerate(host["commands"]):
            rows.append((*(who if not index else (None,) * len(who)), command))
    return rows


def _plan_host(verb: Verb, target: Target, host: Document) -> Document:
    return {
        "id": host["id"],
        "alias": host["alias"],
        "address": target.endpoint,
        "user": target.user,
        "sudo": target.sudo,
        "holderTaskId": host["holderTaskId"],
        "commands": [build_control_command(target, call).render_masked() for call in _CALLS[verb]],
    }
