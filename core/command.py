"""A command on a host, as a value: quoted words, and secrets that no person and no log ever sees."""

import shlex
from dataclasses import dataclass
from typing import assert_never

from typing_extensions import override

MASK = "******"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A word that the host gets and that nobody else may read."""

    value: str

    @override
    def __repr__(self) -> str:
        return f"Secret({MASK})"


@dataclass(frozen=True, slots=True)
class Script:
    """A word that is a program of ours: constant and long, so logs show its name.

    Input never becomes part of the text. It follows as words of its own.
    """

    name: str
    """What people see in place of the text."""
    text: str
    """What the host gets."""


@dataclass(frozen=True, slots=True)
class Command:
    """A call of a program: its words. Rendering quotes each of them.

    Input can never become shell text: a word here is always one word on the host.
    """

    words: tuple[str | Secret | Script, ...]

    @classmethod
    def of(cls, *words: str | Secret | Script) -> "Command":
        """Build a command from its words, the program first."""
        return cls(words)

    def with_prefix(self, *words: str) -> "Command":
        """Return the command that runs this one through another, such as ``sudo -n``."""
        return Command((*words, *self.words))

    def render(self) -> str:
        """Return the POSIX shell text for the host, with its secrets. Only the host may get it."""
        return " ".join(map(_quote, self.words))

    def render_masked(self) -> str:
        """Return the text for people: a mask in place of each secret, a name in place of each script."""
        return " ".join(map(_mask, self.words))

    @override
    def __str__(self) -> str:
        return self.render_masked()


def _quote(word: str | Secret | Script) -> str:
    match word:
        case Secret(value=value):
            return shlex.quote(value)
        case Script(text=text):
            return shlex.quote(text)
        case str():
            return shlex.quote(word)
        case _:
            assert_never(word)


def _mask(word: str | Secret | Script) -> str:
    match word:
        case Secret():
            return MASK
        case Script(name=name):
            return f"<{name}>"
        case str():
            return shlex.quote(word)
        case _:
            assert_never(word)
