"""`ocpfleet stop`, `restart` and `start`: one task for the agents of several hosts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from cli import output
from cli.commands.agents import dry_run
from cli.commands.agents.dry_run import Verb
from cli.commands.task.follow import Follow, follow_to_end
from cli.exits import ApiUnreachable
from cli.host_names import choose_hosts, fold_names, read_host_names
from cli.output import AsJson, Document, Yes, format_count
from cli.remote import api as remote
from cli.remote.client import Client
from core.errors import InvalidRequest

_HELP: Final[dict[Verb, str]] = {
    "stop": "Stop the agents of hosts, as one task.",
    "restart": "Restart the agents of hosts, as one task.",
    "start": "Start the agents of hosts, as one task.",
}
_MAX_HELD: Final = 20
"""Hosts held by tasks that the question names."""

HostWords = Annotated[list[str], typer.Argument(metavar="HOST", help="ids, aliases, patterns such as web-[1-20]")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show the hosts and the command for each; send nothing")]
Single = Annotated[bool, typer.Option("--single", help="OCP's task for one host, without wait nodes; takes one host")]
Key = Annotated[
    str | None, typer.Option("--idempotency-key", metavar="KEY", help="a repeated request is the same task")
]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    for verb in _HELP:
        cli.command(verb, help=_HELP[verb])(_make_command(verb))


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of a request."""

    single: bool
    key: str | None
    as_json: bool


def _make_command(verb: Verb) -> Callable[..., None]:
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
        targets = remote.run(lambda client: _read_targets(client, hosts))
        if single and len(targets) != 1:
            raise InvalidRequest("--single", len(targets), f"--single takes one host, not {len(targets)}.")
        if dry_run:
            _show_plan(verb, targets, as_json=as_json)
            return
        if verb != "start":
            output.confirm(_make_question(verb, targets), yes=yes or len(targets) == 1)
        options = _Options(single, key, as_json)
        task = remote.run(lambda client: _submit(client, verb, targets, options))
        _report(task, len(targets), options, follow=follow)
        if follow:
            raise typer.Exit(follow_to_end(int(task["id"]), as_json=as_json))

    return command


async def _read_targets(client: Client, words: Sequence[str]) -> list[Document]:
    hosts = await client.get_all("/compute/hosts")
    by_id = {int(host["id"]): host for host in hosts}
    return [by_id[host.id] for host in choose_hosts(words, read_host_names(hosts))]


def _show_plan(verb: Verb, targets: Sequence[Document], *, as_json: bool) -> None:
    plan = dry_run.make_plan(verb, targets)
    if as_json:
        output.show_json(plan)
        return
    output.show_table(dry_run.COLUMNS, dry_run.to_rows(plan))
    output.say(f"Would {verb} the agents of {format_count(len(plan), 'host')}. Nothing was sent.")


def _make_question(verb: Verb, targets: Sequence[Document]) -> str:
    names = fold_names(map(_name, targets))
    held = [f"{_name(host)} by task {host['holderTaskId']}" for host in targets if host["holderTaskId"]]
    more = f" and {len(held) - _MAX_HELD} more" * (len(held) > _MAX_HELD)
    warning = f"\nHeld by other tasks, so this task will fail: {', '.join(held[:_MAX_HELD])}{more}" if held else ""
    protected = [_name(host) for host in targets if host.get("protected")]
    warning += f"\nProtected, so the request will be refused: {fold_names(protected)}" if protected else ""
    return f"{format_count(len(targets), 'host')}: {names}{warning}\n{verb.capitalize()} their agents?"


def _name(host: Document) -> str:
    return str(host["alias"] or host["id"])


async def _submit(client: Client, verb: Verb, targets: Sequence[Document], options: _Options) -> Document:
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


def _report(task: Document, hosts: int, options: _Options, *, follow: bool) -> None:
    if options.as_json:
        if follow:
            output.write_json_line({"event": "accepted", "id": task["id"], "name": task["name"], "hosts": hosts})
        else:
            output.show_json(task)
        return
    replayed = " The same request was made before; this is its task." if task["replayed"] else ""
    output.say(f"Task {task['id']}: {task['name']}, {format_count(hosts, 'host')}.{replayed}")
    if not follow:
        output.say(f"Watch it:  ocpfleet task follow {task['id']}")
