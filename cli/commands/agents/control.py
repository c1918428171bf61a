"""`ocpfleet stop`, `restart` and `start`: hosts by name or pattern become one task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from cli import output
from cli.commands.agents import dry_run as dryrun
from cli.commands.agents.dry_run import Verb
from cli.commands.task.follow import Follow, end_of
from cli.exits import ApiUnreachable
from cli.host_names import chosen, folded, named
from cli.output import AsJson, Document, Yes, counted
from cli.remote import api as use
from cli.remote.client import Client
from core.errors import InvalidRequest

_HELP: Final[dict[Verb, str]] = {
    "stop": "Stop the agents of hosts, as one task.",
    "restart": "Restart the agents of hosts, as one task.",
    "start": "Start the agents of hosts, as one task.",
}
_SHOWN: Final = 20
"""So many held hosts are named before a person is asked."""

HostWords = Annotated[list[str], typer.Argument(metavar="HOST", help="ids, aliases, patterns such as web-[1-20]")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show the hosts and the command of each; send nothing")]
Single = Annotated[bool, typer.Option("--single", help="OCP's task for one host, without wait nodes; takes one host")]
Key = Annotated[str | None, typer.Option("--idempotency-key", metavar="KEY", help="repeated, it is the same task")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    for verb in _HELP:
        cli.command(verb, help=_HELP[verb])(_command(verb))


@dataclass(frozen=True, slots=True)
class _Options:
    """How a request is made."""

    single: bool
    key: str | None
    as_json: bool


def _command(verb: Verb) -> Callable[..., None]:
    def command(
        hosts: HostWords,
        *,
        follow: Follow = False,
        dry_run: DryRun = False,
        single: Single = False,
        key: Key = None,
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        targets = use.run(lambda client: _targets(client, hosts))
        if single and len(targets) != 1:
            raise InvalidRequest("--single", len(targets), f"--single takes one host, not {len(targets)}.")
        if dry_run:
            _show_plan(verb, targets, as_json=as_json)
            return
        if verb != "start":
            output.confirm(_question(verb, targets), yes=yes or len(targets) == 1)
        options = _Options(single, key, as_json)
        task = use.run(lambda client: _send(client, verb, targets, options))
        _tell(task, len(targets), options, follow=follow)
        if follow:
            raise typer.Exit(end_of(int(task["id"]), as_json=as_json))

    return command


async def _targets(client: Client, words: Sequence[str]) -> list[Document]:
    hosts = await client.everything("/compute/hosts")
    by_id = {int(host["id"]): host for host in hosts}
    return [by_id[host.id] for host in chosen(words, named(hosts))]


def _show_plan(verb: Verb, targets: Sequence[Document], *, as_json: bool) -> None:
    plan = dryrun.planned(verb, targets)
    if as_json:
        output.show_json(plan)
        return
    output.show_table(dryrun.COLUMNS, dryrun.rows(plan))
    output.say(f"Would {verb} the agents of {counted(len(plan), 'host')}. Nothing was sent.")


def _question(verb: Verb, targets: Sequence[Document]) -> str:
    names = folded(str(host["alias"] or host["id"]) for host in targets)
    held = [f"{host['alias'] or host['id']} by task {host['holderTaskId']}" for host in targets if host["holderTaskId"]]
    more = f" and {len(held) - _SHOWN} more" * (len(held) > _SHOWN)
    warning = f"\nHeld already, the task will fail: {', '.join(held[:_SHOWN])}{more}" if held else ""
    kept = [str(host["alias"] or host["id"]) for host in targets if host.get("protected")]
    warning += f"\nProtected, the request will be refused: {folded(kept)}" if kept else ""
    return f"{counted(len(targets), 'host')}: {names}{warning}\n{verb.capitalize()} their agents?"


async def _send(client: Client, verb: Verb, targets: Sequence[Document], options: _Options) -> Document:
    host_ids = [int(host["id"]) for host in targets]
    headers = {"Idempotency-Key": options.key} if options.key else {}
    path, body = f"/compute/hosts/batch{verb.capitalize()}Agents", {"hostIds": host_ids}
    try:
        if options.single:
            answer = await client.post(f"/compute/hosts/{host_ids[0]}/agent/{verb}", headers=headers)
        else:
            answer = await client.post(path, body, headers)
    except ApiUnreachable as error:
        again = f" With --idempotency-key {options.key} it is safe to repeat." if options.key else ""
        raise ApiUnreachable(error.sentence + again) from None
    task: Document = answer.data
    return task | {"replayed": "Idempotency-Replayed" in answer.headers}


def _tell(task: Document, hosts: int, options: _Options, *, follow: bool) -> None:
    if options.as_json:
        if follow:
            output.json_line({"event": "accepted", "id": task["id"], "name": task["name"], "hosts": hosts})
        else:
            output.show_json(task)
        return
    known = " The same request was made before: it is that task." if task["replayed"] else ""
    output.say(f"Task {task['id']}: {task['name']}, {counted(hosts, 'host')}.{known}")
    if not follow:
        output.say(f"Watch it:  ocpfleet task follow {task['id']}")
