"""How a command writes: sentences and tables for people, JSON for scripts."""

import sys
from collections.abc import Iterable
from datetime import datetime
from textwrap import wrap
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Document = dict[str, Any]
"""A JSON object of a reply."""
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask for confirmation; without a terminal it never asks")]
_PIPE_WIDTH: Final = 400
"""Columns of an output that is not a terminal: wide enough that no table cell is cut."""
_MIN_PARAGRAPH_WIDTH: Final = 40
"""Columns."""
_VISIBLE: Final = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"} | dict.fromkeys(
    range(0x7F, 0xA0), 0xFFFD
)
"""Replaces control characters by visible signs: text that a host sent must not control the terminal."""
STDOUT: Final = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
"""The console for a command's answer."""


def say(text: str) -> None:
    """Write a line of the answer to standard output."""
    STDOUT.print(escape_controls(text), markup=False)


def note(text: str) -> None:
    """Write a remark to standard error, where it does not disturb a script that reads the answer."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape_controls(text), markup=False)


def say_paragraph(text: str, indent: str) -> None:
    """Write a long text with an indent; on a terminal it is wrapped between words."""
    lines = [text]
    if STDOUT.is_terminal:
        width = max(STDOUT.width - len(indent), _MIN_PARAGRAPH_WIDTH)
        lines = wrap(text, width, break_long_words=False) or [""]
    for line in lines:
        say(indent + line)


def escape_controls(text: str) -> str:
    """Return a text with its control characters replaced, so that it cannot control a terminal."""
    return text.translate(_VISIBLE)


def show_json(document: object) -> None:
    """Write a JSON document, indented."""
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    STDOUT.out(text, highlight=STDOUT.is_terminal)  # highlighting the text of thousands of hosts takes seconds


def write_json_line(document: object) -> None:
    """Write a JSON document on one line and flush it at once."""
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
    sys.stdout.flush()


def show_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table; a cell that is None stays empty."""
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(escape(escape_controls(str("" if cell is None else cell))) for cell in row))
    STDOUT.print(table)


def is_interactive() -> bool:
    """Return whether a person at a terminal can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person for confirmation, unless `--yes` was given or there is no terminal.

    Raises:
        typer.Exit: the answer is no; nothing was done.
    """
    if yes or not is_interactive():
        return
    if not typer.confirm(escape_controls(question), err=True):
        note("Nothing was done.")
        raise typer.Exit(1)


def format_time(stamp: str | None) -> str:
    """Return a reply's time in this machine's time zone; empty for None."""
    return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M:%S}" if stamp else ""


def format_duration(started: str | None, finished: str | None) -> str:
    """Return the time between two times of a reply, such as `2 min 5 s`; empty where one of them is None."""
    if not started or not finished:
        return ""
    seconds = round((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())
    minutes, seconds = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 host`, `20 hosts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
