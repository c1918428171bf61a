"""The fleet's brake: while it is on, nothing new is begun on any host."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brake:
    """That the brake is on."""

    by: str
    """Who pulled it: a user's name, or what a command says of itself."""
    at: int
    """When: milliseconds since the epoch."""
    reason: str
    """Why, in the words of whoever pulled it."""
