"""The fleet's brake: while it is on, no new work begins on any host."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brake:
    """The brake, while it is on."""

    by: str
    """Who pulled it: a user's name, or how a command calls itself."""
    at: int
    """When it was pulled, in milliseconds since the epoch."""
    reason: str
    """Why, in the words of the person who pulled it."""
