"""`ocpfleet key`: the access keys with which programs sign their requests."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from app.auth.vault import Vault
from cli import session
from cli.people import found
from core.access_key import AccessKey, new_pair
from core.errors import InvalidRequest, NotFound
from infra.clock import now
from infra.settings import ApiSettings, load
from infra.store.base import Store

cli = typer.Typer(
    no_args_is_help=True,
    help="The access keys of the users. Run it where the API runs: both use the key file of OCPFLEET_KEY_FILE.",
)
_LONGEST: Final = 200


@cli.command("add", help="Make an access key for a user. Its secret key is shown once and kept encrypted.")
def add(
    user: Annotated[str, typer.Argument(metavar="USER", help="whose permissions it has")],
    description: Annotated[str, typer.Option(help="what it is for")] = "",
) -> None:
    """Make an access key."""
    if not description.isprintable() or len(description) > _LONGEST:
        raise InvalidRequest(
            "--description", description[:_LONGEST], f"A description is one line of up to {_LONGEST} characters."
        )
    vault = Vault(load(ApiSettings).key_file)
    key_id, secret = new_pair()

    async def put(store: Store) -> None:
        owner = await found(store, user)
        sealed = vault.seal(secret)
        await store.access_keys.put(AccessKey(key_id, owner.name, owner.id, sealed, description, now()))
        await session.audited(store, f"key add {user}", {"accessKey": key_id})

    session.run(put)
    session.OUT.print(f"Added an access key of {user}.", markup=False)
    session.OUT.print(f"AK: {key_id}", markup=False)
    session.OUT.print(f"SK, shown once: {secret}", markup=False)


@cli.command("list", help="List the access keys, oldest first; never their secret keys.")
def list_keys() -> None:
    """List the access keys."""
    table = Table("AK", "user", "made", "description", box=None, header_style="bold")
    for key in session.run(lambda store: store.access_keys.all()):
        made = datetime.fromtimestamp(key.created / 1000, tz=UTC).isoformat(timespec="seconds")
        table.add_row(*map(escape, (key.id, key.user, made, key.description)))
    session.OUT.print(table)


@cli.command("remove", help="Remove an access key: what is signed with it is refused from now on.")
def remove(key: Annotated[str, typer.Argument(metavar="AK", help="the access key")]) -> None:
    """Remove an access key."""

    async def taken_away(store: Store) -> None:
        if not await store.access_keys.remove(key):
            raise NotFound(f"There is no access key {key}. `ocpfleet key list` shows them all.")
        await session.audited(store, f"key remove {key}", {})

    session.run(taken_away)
    session.OUT.print(f"Removed the access key {key}.", markup=False)
