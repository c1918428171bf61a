"""A command on a host as a value: quoted parts, and secrets that no person and no log ever sees."""

import shlex
from dataclasses import dataclass

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
class Command:
    """One program call: its words, each quoted on its own when it is rendered.

    There is no way to hand it shell text made from input: a word is always one word on the host.
    """

    words: tuple[str | Secret, ...]

    @classmethod
    def of(cls, *words: str | Secret) -> "Command":
        """Build a command from its words, the program first."""
        return cls(words)

    def with_prefix(self, *words: str) -> "Command":
        """Return the same command run through another one, such as ``sudo -n``."""
        return Command((*words, *self.words))

    def rendered(self) -> str:
        """Return the POSIX shell text for the host, secrets in the clear. For the wire alone."""
        return " ".join(shlex.quote(word.value if isinstance(word, Secret) else word) for word in self.words)

    def masked(self) -> str:
        """Return the text for people: the same, each secret replaced by a mask."""
        return " ".join(MASK if isinstance(word, Secret) else shlex.quote(word) for word in self.words)

    @override
    def __str__(self) -> str:
        return self.masked()
