"""README, CONTRIBUTING, CHANGELOG and docs, taken apart: blocks, code spans, links, commands, requests."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
CHANGELOG: Final = ROOT / "CHANGELOG.md"
DOCS: Final = tuple(sorted((ROOT / "docs").glob("*.md")))
PAGES: Final = (README, *DOCS, CONTRIBUTING, CHANGELOG)

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_NOTE = re.compile(r"<!-- ((?:(?!-->).)*) -->\n\Z", re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    """Where its text begins, from 1."""
    language: str
    """What stands after the fence: `sh`, `python`, or nothing."""
    text: str
    note: str
    """The HTML comment on the line above it, or nothing. `not run: REASON` and `with STATE` are for the test that runs
    the pages' commands, `from PATH` says which file the text is copied from."""

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> Iterator[list[str]]:
        """Yield the words of each command, as a shell takes them; comments are no part of them."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


def find_blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text()
    found = []
    for match in _FENCE.finditer(text):
        before = text[: match.start()]
        note = _NOTE.search(before)
        line = before.count("\n") + 2
        found.append(Block(page, line, match[2], match[3], " ".join(note[1].split()) if note else ""))
    return found


def read_prose(page: Path) -> str:
    """Return a page's text without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def find_spans(page: Path) -> list[str]:
    """Return the code spans of a page's prose."""
    return [" ".join(span.split()) for span in _SPAN.findall(read_prose(page))]


def find_links(page: Path) -> list[str]:
    """Return where the links of a page lead: addresses, or paths relative to the page, with their anchors."""
    return _LINK.findall(read_prose(page))


def find_anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(read_prose(page)))
    return {heading.strip().replace(" ", "-") for heading in plain}


def find_link_targets(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor (or nothing) of each link of a page that stays inside the repository."""
    for link in find_links(page):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


@dataclass(frozen=True, slots=True)
class Request:
    """What a curl command sends."""

    method: str
    url: str
    auth: tuple[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


def parse_curl(words: Sequence[str]) -> Request:
    """Return what a curl command sends.

    Raises:
        ValueError: it has an option that this does not know, or no address.
    """
    method, url, auth, headers, body = "", "", None, {}, None
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-N":
                pass
            case "-u":
                name, _, password = next(rest).partition(":")
                auth = (name, password)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest)
            case "-X":
                method = next(rest)
            case _ if word.startswith("http"):
                url = word
            case _:
                raise ValueError(f"curl {word}: teach `parse_curl` what it means")
    if not url:
        raise ValueError(f"{' '.join(words)}: there is no address in it")
    return Request(method or ("GET" if body is None else "POST"), url, auth, headers, body)
