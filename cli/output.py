"""What a command writes: sentences and tables for people, JSON for scripts."""

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

from cli import direct_store as session

AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for scripts")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask; a command without a terminal never does")]
_NARROW: Final = 40
"""Columns that a paragraph has at the least."""
_VISIBLE: Final = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"} | dict.fromkeys(
    range(0x7F, 0xA0), 0xFFFD
)
"""Control characters as signs that a terminal only shows: what a host answered must not steer it."""


def say(text: str) -> None:
    """Write an answer."""
    session.OUT.print(clean(text), markup=False)


def note(text: str) -> None:
    """Write something beside the answer, where it does not disturb a script that reads the answer."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(clean(text), markup=False)


def paragraph(text: str, indent: str) -> None:
    """Write a longer text with an indent; on a terminal it is broken between words."""
    lines = [text]
    if session.OUT.is_terminal:
        lines = wrap(text, max(session.OUT.width - len(indent), _NARROW), break_long_words=False) or [""]
    for line in lines:
        say(indent + line)


def clean(text: str) -> str:
    """Return a text that came from elsewhere without anything that steers a terminal."""
    return text.translate(_VISIBLE)


def show_json(document: object) -> None:
    """Write one JSON document, for a script or a person."""
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    session.OUT.out(text, highlight=session.OUT.is_terminal)  # colours for thousands of hosts take seconds


def json_line(document: object) -> None:
    """Write one JSON document on a line of its own, at once."""
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
    sys.stdout.flush()


def show_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table; a cell that is None stays empty."""
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(escape(clean(str("" if cell is None else cell))) for cell in row))
    session.OUT.print(table)


def attended() -> bool:
    """Return whether a person sits at the terminal and can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person whether to go on, unless it was said beforehand or nobody is there.

    Raises:
        typer.Exit: the answer is no; nothing was done.
    """
    if yes or not attended():
        return
    if not typer.confirm(clean(question), err=True):
        note("Nothing was done.")
        raise typer.Exit(1)


def moment(stamp: str | None) -> str:
    """Return a time of a reply as people read it, in this machine's zone; empty where there is none."""
    return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M:%S}" if stamp else ""


def duration(began: str | None, ended: str | None) -> str:
    """Return how long something took, from two times of a reply; empty where it is not known."""
    if not began or not ended:
        return ""
    seconds = round((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds())
    minutes, seconds = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def counted(number: int, one: str) -> str:
    """Return a number of things, in words: `1 host`, `20 hosts`."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


Document = dict[str, Any]
"""A JSON object of a reply."""
