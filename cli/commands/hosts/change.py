"""`ocpfleet hosts release`, `protect`, `unprotect` and `delete`."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from cli import output
from cli.exits import ApiRefused, Exit
from cli.host_names import HostName, choose_hosts, fold_names, read_host_names
from cli.output import AsJson, Document, Yes, format_count
from cli.remote import api as remote
from cli.remote.client import Client

HostWords = Annotated[list[str], typer.Argument(metavar="HOST", help="ids, aliases, patterns such as web-[1-20]")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("release", help="Free hosts from a task that will not release them. For administrators.")(_release)
    cli.command("protect", help="Protect hosts: requests for them are refused. For administrators.")(_protect)
    cli.command("unprotect", help="End the protection of hosts. For administrators.")(_unprotect)
    cli.command("delete", help="Remove hosts from the inventory; their agents stay as they are.")(_delete)


def _release(hosts: HostWords, *, yes: Yes = False, as_json: AsJson = False) -> None:
    chosen = remote.run(lambda client: _choose(client, hosts))
    output.confirm(
        f"Release {_describe(chosen)}? This does not stop a task that still works there: cancel it first.", yes=yes
    )
    _change_all(
        chosen,
        ("POST", "release"),
        lambda host: f"Released {_name(host)}: agent {host['hostAgentStatus']}, free.",
        as_json=as_json,
    )


def _protect(hosts: HostWords, *, as_json: AsJson = False) -> None:
    chosen = remote.run(lambda client: _choose(client, hosts))
    _change_all(chosen, ("POST", "protection"), lambda host: f"Protected {_name(host)}.", as_json=as_json)


def _unprotect(hosts: HostWords, *, yes: Yes = False, as_json: AsJson = False) -> None:
    chosen = remote.run(lambda client: _choose(client, hosts))
    output.confirm(f"End the protection of {_describe(chosen)}? Requests can change them then.", yes=yes)
    _change_all(
        chosen, ("DELETE", "protection"), lambda host: f"{_name(host)} is not protected (any more).", as_json=as_json
    )


def _delete(hosts: HostWords, *, yes: Yes = False) -> None:
    chosen = remote.run(lambda client: _choose(client, hosts))
    output.confirm(f"Remove {_describe(chosen)} from the inventory? Their agents stay as they are.", yes=yes)

    async def delete(client: Client) -> None:
        if len(chosen) == 1:
            await client.delete(f"/compute/hosts/{chosen[0].id}")
        else:
            await client.post("/compute/hosts/batchDelete", {"hostIdList": [host.id for host in chosen]})

    remote.run(delete)
    output.say(f"Deleted {_describe(chosen)}.")


async def _choose(client: Client, words: Sequence[str]) -> list[HostName]:
    return choose_hosts(words, read_host_names(await client.get_all("/compute/hosts")))


def _change_all(
    hosts: Sequence[HostName], request: tuple[str, str], describe: Callable[[Document], str], *, as_json: bool
) -> None:
    """Send a method to a path of each host in turn, and print each result.

    Raises:
        typer.Exit: the API refused some of the requests.
    """
    changed = remote.run(lambda client: _send_each(client, hosts, request))
    if as_json:
        output.show_json(changed)
    else:
        for host in changed:
            output.say(describe(host))
    if len(changed) < len(hosts):
        raise typer.Exit(Exit.FAILED)


async def _send_each(client: Client, hosts: Sequence[HostName], request: tuple[str, str]) -> list[Document]:
    """Return the hosts that were changed. A refusal does not stop the others."""
    method, path = request
    changed: list[Document] = []
    for host in hosts:
        try:
            changed.append((await client.ask(method, f"/compute/hosts/{host.id}/{path}")).data)
        except ApiRefused as error:
            output.note(f"{host.label}: {error.sentence}")
    return changed


def _name(host: Document) -> str:
    return str(host["alias"] or host["id"])


def _describe(hosts: Sequence[HostName]) -> str:
    return f"{format_count(len(hosts), 'host')} ({fold_names(host.word for host in hosts)})"
