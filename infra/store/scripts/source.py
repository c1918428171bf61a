"""The text of the scripts, as Redis runs them."""

from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import NamedTuple

from infra.store.scripts.head import render_head


class Script(NamedTuple):
    """A script, and the name by which Redis knows it once it was loaded."""

    text: str
    sha: str


@cache
def read_script(name: str) -> Script:
    """Return one of our scripts, by its file name without its ending."""
    text = read_prelude() + _read(name)
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


def read_prelude() -> str:
    """Return what every script begins with."""
    return render_head() + _read("prelude")


def _read(name: str) -> str:
    return (files("infra.store.scripts") / f"{name}.lua").read_text()
