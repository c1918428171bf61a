"""A command on a host as a value: quoted parts, and secrets that no person and no log ever sees."""

import shlex
from dataclasses import dataclass
from typing import assert_never

from typing_extensions import override

MASK = "******"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A part of a command that the host must get and nobody may read."""

    value: str

    @override
    def __repr__(self) -> str:
        return f"Secret({MASK})"


@dataclass(frozen=True, slots=True)
class Script:
    """A part of a command that is a program text of ours: constant, long, and the same in every log.

    Input never goes into the text: it follows as words of its own.
    """

    name: str
    """What people see in its place."""
    text: str
    """What the host gets."""


@dataclass(frozen=True, slots=True)
class Command:
    """One program call: its words, each quoted on its own when it is rendered.

    There is no way to hand it shell text made from input: a word is always one word on the host.
    """

    words: tuple[str | Secret | Script, ...]

    @classmethod
    def of(cls, *words: str | Secret | Script) -> "Command":
        """Build a command from its words, the program first."""
        return cls(words)

    def with_prefix(self, *words: str) -> "Command":
        """Return the same command run through another one, such as ``sudo -n``."""
        return Command((*words, *self.words))

    def render(self) -> str:
        """Return the POSIX shell text for the host, secrets in the clear. For the wire alone."""
        return " ".join(map(_quote, self.words))

    def render_masked(self) -> str:
        """Return the text for people: the same, each secret replaced by a mask and each script by its name."""
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
