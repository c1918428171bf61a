"""One page of a long list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list's items, in the list's order."""

    items: tuple[T, ...]
    """The items of this page; none where the page is beyond the end."""
    total: int
    """How many items the whole list has."""
