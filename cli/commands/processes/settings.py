"""`ocpfleet settings`: every variable with its default and meaning, taken from the settings classes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from pydantic_settings import BaseSettings
from rich.table import Table

from cli.output import STDOUT
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
    ("Inventory: defaults for missing columns, and for hosts added through the API", InventorySettings),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One variable."""

    variable: str
    default: str
    meaning: str


def list_rows(settings: type[BaseSettings]) -> Iterator[Row]:
    """Yield the variables of a settings class, without those that every process shares."""
    inherited = SharedSettings.model_fields if settings is not SharedSettings else {}
    for name, field in settings.model_fields.items():
        if name not in inherited:
            default = field.default
            shown = "" if default in {None, ()} else str(default).lower() if isinstance(default, bool) else str(default)
            yield Row(f"OCPFLEET_{name.upper()}", shown, field.description or "")


def format_markdown() -> str:
    """Return the tables of docs/settings.md."""
    tables = []
    for title, settings in GROUPS:
        lines = [f"**{title}**", "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [
            f"| `{row.variable}` | {f'`{row.default}`' * bool(row.default)} | {row.meaning} |"
            for row in list_rows(settings)
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
        STDOUT.print(format_markdown(), end="", markup=False)
        return
    for title, settings in GROUPS:
        table = Table("variable", "default", "meaning", title=title, title_justify="left", box=None)
        for row in list_rows(settings):
            table.add_row(row.variable, row.default, row.meaning)
        STDOUT.print(table)
