"""How many examples property tests try: `make test-long` sets TEST_TIMES, which multiplies them."""

from __future__ import annotations

import os
from typing import Final

TIMES: Final = int(os.environ.get("TEST_TIMES", "1"))


def scale_examples(usual: int) -> int:
    """Return how many examples a test tries that tries so many as a rule."""
    return usual * TIMES
