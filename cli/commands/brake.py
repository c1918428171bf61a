"""`ocpfleet brake`: the fleet's brake, by the API. While it is on nothing new is begun on any host."""

from typing import Annotated

import typer

from cli import output
from cli.output import AsJson, Document, Yes, counted, moment
from cli.remote import api as use
from cli.remote.client import Client

cli = typer.Typer(
    no_args_is_help=True, help="The fleet's brake: while it is on nothing new is begun on any host; what runs ends."
)
_PATH = "/fleet/brake"


@cli.command("status", help="Say whether the brake is on, who pulled it, when and why.")
def status(*, as_json: AsJson = False) -> None:
    """Show the brake."""
    brake = use.run(lambda client: client.get(_PATH))
    if as_json:
        output.show_json(brake)
    else:
        output.say(_told(brake))


@cli.command("pull", help="Put the brake on, at once and without a question.")
def pull(
    reason: Annotated[str, typer.Argument(metavar="REASON", help="why nothing may start, in one line")],
    *,
    as_json: AsJson = False,
) -> None:
    """Pull the brake."""
    brake = use.run(lambda client: client.post(_PATH, {"reason": reason})).data
    if as_json:
        output.show_json(brake)
        return
    output.say(_told(brake))
    output.say("What runs goes on to its end; to stop that, too: ocpfleet task cancel ID")


@cli.command("release", help="Take the brake off: what waited goes on.")
def release(*, yes: Yes = False, as_json: AsJson = False) -> None:
    """Release the brake."""
    if not yes and output.attended():
        brake = use.run(lambda client: client.get(_PATH))
        output.confirm(f"{_told(brake)}\nRelease it?", yes=yes)
    released: Document = use.run(_release)
    if as_json:
        output.show_json(released)
    else:
        output.say(f"The brake is off: {counted(released['republished'], 'task')} that waited went on.")


async def _release(client: Client) -> Document:
    document: Document = (await client.ask("DELETE", _PATH)).data
    return document


def _told(brake: Document) -> str:
    if not brake["braked"]:
        return "The brake is off."
    return f"The brake is on since {moment(brake['since'])}: {brake['by']}: {brake['reason']}"
