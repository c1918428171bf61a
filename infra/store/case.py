"""How texts are compared where the case of letters does not matter: as Redis's scripts can, from a to z alone."""

from string import ascii_lowercase, ascii_uppercase
from typing import Final

_FOLDING: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


def folded(text: str) -> str:
    """Return a text with its letters from A to Z in small."""
    return text.translate(_FOLDING)
