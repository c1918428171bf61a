"""`ocpfleet settings`: every variable, its default and its meaning, from the classes that read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from pydantic_settings import BaseSettings
from rich.table import Table

from cli.direct_store import OUT
from infra.settings import (
    ApiSettings,
    ClientSettings,
    FlowerSettings,
    InventorySettings,
    SharedSettings,
    WorkerSettings,
)

GROUPS: Final[tuple[tuple[str, type[BaseSettings]], ...]] = (
    ("All processes", SharedSettings),
    ("API", ApiSettings),
    ("Worker", WorkerSettings),
    ("Flower", FlowerSettings),
    ("Command line", ClientSettings),
    ("Inventory: defaults for columns that are left out, and for hosts that come through the API", InventorySettings),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One variable."""

    variable: str
    default: str
    meaning: str


def rows(settings: type[BaseSettings]) -> Iterator[Row]:
    """Yield the variables of a class of settings that no other group above it has."""
    inherited = SharedSettings.model_fields if settings is not SharedSettings else {}
    for name, field in settings.model_fields.items():
        if name not in inherited:
            default = field.default
            shown = "" if default in {None, ()} else str(default).lower() if isinstance(default, bool) else str(default)
            yield Row(f"OCPFLEET_{name.upper()}", shown, field.description or "")


def markdown() -> str:
    """Return the tables of docs/settings.md."""
    tables = []
    for title, settings in GROUPS:
        lines = [f"**{title}**", "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [
            f"| `{row.variable}` | {f'`{row.default}`' * bool(row.default)} | {row.meaning} |" for row in rows(settings)
        ]
        tables.append("\n".join(lines))
    return "\n\n".join(tables) + "\n"


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("settings", help="List every setting with its default and its meaning.")(_settings)


def _settings(
    *, as_markdown: Annotated[bool, typer.Option("--markdown", help="as docs/settings.md has them")] = False
) -> None:
    if as_markdown:
        OUT.print(markdown(), end="", markup=False)
        return
    for title, settings in GROUPS:
        table = Table("variable", "default", "meaning", title=title, title_justify="left", box=None)
        for row in rows(settings):
            table.add_row(row.variable, row.default, row.meaning)
        OUT.print(table)
