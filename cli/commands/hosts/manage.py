"""`ocpfleet hosts list|show|release|protect|unprotect|delete`: the hosts as the API has them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

from cli import output
from cli.exits import ApiRefused, Exit
from cli.host_names import Named, chosen, folded, named
from cli.output import AsJson, Document, Yes, counted, moment
from cli.remote import api as use
from cli.remote.client import Client

_COLUMNS: Final = ("id", "alias", "address", "user", "status", "agent", "held by", "host key")
_PROCESS_COLUMNS: Final = ("process", "pid", "status", "user", "ports", "up for")
HostWords = Annotated[list[str], typer.Argument(metavar="HOST", help="ids, aliases, patterns such as web-[1-20]")]
SomeHosts = Annotated[list[str] | None, typer.Argument(metavar="[HOST]", help="these alone; as for stop")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("list", help="List the hosts, in id order.")(_list)
    cli.command("show", help="Show a host; with --agent also a look at its agent.")(_show)
    cli.command("release", help="Free hosts from a task that will not give them back. For administrators.")(_release)
    cli.command("protect", help="Protect hosts: no request touches them. For administrators.")(_protect)
    cli.command("unprotect", help="Lift the protection of hosts. For administrators.")(_unprotect)
    cli.command("delete", help="Take hosts out of the inventory; their agents stay as they are.")(_delete)


def _list(hosts: SomeHosts = None, *, as_json: AsJson = False) -> None:
    found = use.run(lambda client: _found(client, hosts))
    if as_json:
        output.show_json(found)
    else:
        output.show_table(_COLUMNS, map(_row, found))


async def _found(client: Client, words: Sequence[str] | None) -> list[Document]:
    hosts = await client.everything("/compute/hosts")
    if not words:
        return hosts
    meant = {host.id for host in chosen(words, named(hosts))}
    return [host for host in hosts if int(host["id"]) in meant]


async def _meant(client: Client, words: Sequence[str]) -> list[Named]:
    return chosen(words, named(await client.everything("/compute/hosts")))


def _row(host: Document) -> tuple[object, ...]:
    return (
        host["id"],
        host["alias"],
        _endpoint(host),
        host["sshUser"],
        host["status"],
        host["hostAgentStatus"],
        _holder(host),
        "pinned" if host["hostKeyFingerprint"] else "none",
    )


def _endpoint(host: Document) -> str:
    address = host["innerIpAddress"]
    return f"[{address}]:{host['sshPort']}" if ":" in address else f"{address}:{host['sshPort']}"


def _holder(host: Document) -> str | None:
    return f"task {host['holderTaskId']}" if host["holderTaskId"] else "protected" if host.get("protected") else None


def _show(
    host: Annotated[str, typer.Argument(metavar="HOST", help="its id or its alias")],
    *,
    agent: Annotated[bool, typer.Option("--agent", help="look at the agent on the host, too")] = False,
    as_json: AsJson = False,
) -> None:
    found, seen = use.run(lambda client: _one(client, host, agent=agent))
    if as_json:
        output.show_json(found | ({} if seen is None else {"agent": seen}))
        return
    output.show_table(("host", str(found["id"])), _facts(found))
    if seen is not None:
        output.say(
            f"\nAgent {seen.get('version') or 'of unknown version'} in {seen.get('installHome')}: {seen['status']}"
        )
        output.show_table(_PROCESS_COLUMNS, map(_process, seen.get("processes") or ()))


async def _one(client: Client, word: str, *, agent: bool) -> tuple[Document, Document | None]:
    (first, *_) = await _meant(client, [word])
    path = f"/compute/hosts/{first.id}"
    return await client.get(path), await client.get(f"{path}/agent") if agent else None


def _facts(host: Document) -> list[tuple[str, object]]:
    return [
        ("alias", host["alias"]),
        ("address", _endpoint(host)),
        ("user", f"{host['sshUser']}{', with sudo' * host['sudo']}"),
        ("host key", host["hostKeyFingerprint"] or "none pinned: `ocpfleet hosts trust ID`"),
        ("status", host["status"]),
        ("agent", host["hostAgentStatus"]),
        ("agent's home", host["agentHome"]),
        ("agent's version", host["hostAgentVersion"]),
        ("held by", None if host.get("protected") else _holder(host)),
        ("protected", "yes: no request touches it" if host.get("protected") else "no"),
        ("imported", moment(host["createTime"])),
        ("changed", moment(host["updateTime"])),
    ]


def _process(process: Document) -> tuple[object, ...]:
    elapsed = process.get("elapsedTime")
    return (
        process.get("alias"),
        process.get("pid") or None,
        process["status"],
        process.get("user"),
        process.get("ports"),
        f"{elapsed} s" if elapsed else None,
    )


def _release(hosts: HostWords, *, yes: Yes = False, as_json: AsJson = False) -> None:
    meant = use.run(lambda client: _meant(client, hosts))
    output.confirm(
        f"Release {_names(meant)}? A task that still works there is not stopped by this: cancel it first.", yes=yes
    )
    _each(
        meant,
        ("POST", "release"),
        lambda host: f"Released {host['alias'] or host['id']}: agent {host['hostAgentStatus']}, free.",
        as_json=as_json,
    )


def _protect(hosts: HostWords, *, as_json: AsJson = False) -> None:
    meant = use.run(lambda client: _meant(client, hosts))
    _each(meant, ("POST", "protection"), lambda host: f"Protected {host['alias'] or host['id']}.", as_json=as_json)


def _unprotect(hosts: HostWords, *, yes: Yes = False, as_json: AsJson = False) -> None:
    meant = use.run(lambda client: _meant(client, hosts))
    output.confirm(f"Lift the protection of {_names(meant)}? Requests can touch them then.", yes=yes)
    _each(
        meant,
        ("DELETE", "protection"),
        lambda host: f"{host['alias'] or host['id']} is not protected (any more).",
        as_json=as_json,
    )


def _each(hosts: Sequence[Named], request: tuple[str, str], told: Callable[[Document], str], *, as_json: bool) -> None:
    """Ask for something of hosts one after the other and tell of each what came of it."""
    changed, whole = use.run(lambda client: _changed(client, hosts, request))
    if as_json:
        output.show_json(changed)
    else:
        for host in changed:
            output.say(told(host))
    if not whole:
        raise typer.Exit(Exit.FAILED)


async def _changed(client: Client, hosts: Sequence[Named], request: tuple[str, str]) -> tuple[list[Document], bool]:
    """Send a method to a path of each host; what is refused does not keep the others back."""
    method, path = request
    changed: list[Document] = []
    for host in hosts:
        try:
            changed.append((await client.ask(method, f"/compute/hosts/{host.id}/{path}")).data)
        except ApiRefused as error:
            output.note(f"{host.name}: {error.sentence}")
    return changed, len(changed) == len(hosts)


def _delete(hosts: HostWords, *, yes: Yes = False) -> None:
    meant = use.run(lambda client: _meant(client, hosts))
    output.confirm(f"Take {_names(meant)} out of the inventory? Their agents stay as they are.", yes=yes)

    async def delete(client: Client) -> None:
        if len(meant) == 1:
            await client.delete(f"/compute/hosts/{meant[0].id}")
        else:
            await client.post("/compute/hosts/batchDelete", {"hostIdList": [host.id for host in meant]})

    use.run(delete)
    output.say(f"Deleted {_names(meant)}.")


def _names(hosts: Sequence[Named]) -> str:
    return f"{counted(len(hosts), 'host')} ({folded(host.short for host in hosts)})"
