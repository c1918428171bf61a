"""The text of the scripts, as Redis runs them."""

import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Final, NamedTuple

from infra.store.scripts.head import render_head

_USES: Final = re.compile(r"^-- uses: (.+)$", re.MULTILINE)


class Script(NamedTuple):
    """A script, and the name by which Redis knows it once it was loaded."""

    text: str
    sha: str


@cache
def read_script(name: str) -> Script:
    """Return one of our scripts, by its file name without its ending."""
    body = _read(name)
    text = read_prelude(*_list_uses(body)) + body
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


def read_prelude(*parts: str) -> str:
    """Return what stands before a script that uses some parts, and so the parts that these use."""
    texts: dict[str, str] = {}
    _add_parts(texts, parts)
    return "".join((render_head(), _read("prelude"), *texts.values()))


def _add_parts(texts: dict[str, str], parts: Iterable[str]) -> None:
    """Add the texts of parts, each after those that it uses."""
    for part in parts:
        if part not in texts:
            text = _read(f"parts/{part}")
            _add_parts(texts, _list_uses(text))
            texts[part] = text


def _list_uses(text: str) -> list[str]:
    found = _USES.search(text)
    return found[1].split(", ") if found else []


def _read(name: str) -> str:
    return (files("infra.store.scripts") / f"{name}.lua").read_text()
