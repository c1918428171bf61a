"""`ocpfleet brake`: the fleet's brake. While it is on, nothing new begins on any host."""

from typing import Annotated

import typer

from cli import output
from cli.output import AsJson, Document, Yes, format_count, format_time
from cli.remote import api as remote
from cli.remote.client import Client

cli = typer.Typer(
    no_args_is_help=True,
    help="The fleet's brake: while it is on, nothing new begins on any host. Work that runs goes on to its end.",
)
_PATH = "/fleet/brake"


@cli.command("status", help="Show whether the brake is on, who pulled it, when and why.")
def status(*, as_json: AsJson = False) -> None:
    """Show the brake."""
    brake = remote.run(lambda client: client.get(_PATH))
    if as_json:
        output.show_json(brake)
    else:
        output.say(_describe(brake))


@cli.command("pull", help="Put the brake on at once, without asking.")
def pull(
    reason: Annotated[str, typer.Argument(metavar="REASON", help="why nothing may begin, in one line")],
    *,
    as_json: AsJson = False,
) -> None:
    """Pull the brake."""
    brake = remote.run(lambda client: client.post(_PATH, {"reason": reason})).data
    if as_json:
        output.show_json(brake)
        return
    output.say(_describe(brake))
    output.say("Work that runs goes on to its end. To stop it too: ocpfleet task cancel ID")


@cli.command("release", help="Take the brake off: tasks that waited go on.")
def release(*, yes: Yes = False, as_json: AsJson = False) -> None:
    """Release the brake."""
    if not yes and output.is_interactive():
        brake = remote.run(lambda client: client.get(_PATH))
        output.confirm(f"{_describe(brake)}\nRelease it?", yes=yes)
    released = remote.run(_release)
    if as_json:
        output.show_json(released)
    else:
        output.say(f"The brake is off: {format_count(released['republished'], 'task')} that waited went on.")


async def _release(client: Client) -> Document:
    document: Document = (await client.ask("DELETE", _PATH)).data
    return document


def _describe(brake: Document) -> str:
    if not brake["braked"]:
        return "The brake is off."
    return f"The brake has been on since {format_time(brake['since'])}. {brake['by']}: {brake['reason']}"
