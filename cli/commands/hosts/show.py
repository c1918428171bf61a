"""`ocpfleet hosts list` and `hosts show`."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from cli import output
from cli.host_names import choose_hosts, read_host_names
from cli.output import AsJson, Document, format_time
from cli.remote import api as remote
from cli.remote.client import Client

_COLUMNS: Final = ("id", "alias", "address", "user", "status", "agent", "held by", "host key")
_PROCESS_COLUMNS: Final = ("process", "pid", "status", "user", "ports", "up for")
SomeHosts = Annotated[
    list[str] | None, typer.Argument(metavar="[HOST]", help="only these: ids, aliases, patterns; as for stop")
]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("list", help="List the hosts, in id order.")(_list)
    cli.command("show", help="Show a host; with --agent also its agent, as it is now.")(_show)


def _list(hosts: SomeHosts = None, *, as_json: AsJson = False) -> None:
    found = remote.run(lambda client: _read_hosts(client, hosts))
    if as_json:
        output.show_json(found)
    else:
        output.show_table(_COLUMNS, map(_to_row, found))


async def _read_hosts(client: Client, words: Sequence[str] | None) -> list[Document]:
    hosts = await client.get_all("/compute/hosts")
    if not words:
        return hosts
    chosen = {host.id for host in choose_hosts(words, read_host_names(hosts))}
    return [host for host in hosts if int(host["id"]) in chosen]


def _show(
    host: Annotated[str, typer.Argument(metavar="HOST", help="its id or its alias")],
    *,
    agent: Annotated[bool, typer.Option("--agent", help="also look at the agent on the host")] = False,
    as_json: AsJson = False,
) -> None:
    found, seen = remote.run(lambda client: _read_host(client, host, agent=agent))
    if as_json:
        output.show_json(found | ({} if seen is None else {"agent": seen}))
        return
    output.show_table(("host", str(found["id"])), _list_facts(found))
    if seen is not None:
        version = seen.get("version") or "of unknown version"
        output.say(f"\nAgent {version} in {seen.get('installHome')}: {seen['status']}")
        output.show_table(_PROCESS_COLUMNS, map(_to_process_row, seen.get("processes") or ()))


async def _read_host(client: Client, word: str, *, agent: bool) -> tuple[Document, Document | None]:
    hosts = read_host_names(await client.get_all("/compute/hosts"))
    (first, *_) = choose_hosts([word], hosts)
    path = f"/compute/hosts/{first.id}"
    return await client.get(path), await client.get(f"{path}/agent") if agent else None


def _to_row(host: Document) -> tuple[object, ...]:
    return (
        host["id"],
        host["alias"],
        _format_endpoint(host),
        host["sshUser"],
        host["status"],
        host["hostAgentStatus"],
        _describe_holder(host),
        "pinned" if host["hostKeyFingerprint"] else "none",
    )


def _list_facts(host: Document) -> list[tuple[str, object]]:
    return [
        ("alias", host["alias"]),
        ("address", _format_endpoint(host)),
        ("user", f"{host['sshUser']}{', with sudo' * host['sudo']}"),
        ("host key", host["hostKeyFingerprint"] or "none pinned: `ocpfleet hosts trust ID`"),
        ("status", host["status"]),
        ("agent", host["hostAgentStatus"]),
        ("agent's home", host["agentHome"]),
        ("agent's version", host["hostAgentVersion"]),
        ("held by", None if host.get("protected") else _describe_holder(host)),
        ("protected", "yes: requests for it are refused" if host.get("protected") else "no"),
        ("imported", format_time(host["createTime"])),
        ("changed", format_time(host["updateTime"])),
    ]


def _to_process_row(process: Document) -> tuple[object, ...]:
    elapsed = process.get("elapsedTime")
    return (
        process.get("alias"),
        process.get("pid") or None,
        process["status"],
        process.get("user"),
        process.get("ports"),
        f"{elapsed} s" if elapsed else None,
    )


def _format_endpoint(host: Document) -> str:
    address = host["innerIpAddress"]
    return f"[{address}]:{host['sshPort']}" if ":" in address else f"{address}:{host['sshPort']}"


def _describe_holder(host: Document) -> str | None:
    if host["holderTaskId"]:
        return f"task {host['holderTaskId']}"
    return "protected" if host.get("protected") else None
