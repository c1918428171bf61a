"""How many examples the tests try that draw them: `make test-long` sets TEST_TIMES, and they try so many times as many."""

from __future__ import annotations

import os
from typing import Final

TIMES: Final = int(os.environ.get("TEST_TIMES", "1"))


def scale_examples(usual: int) -> int:
    """Return how many examples a test tries that tries so many as a rule."""
    return usual * TIMES
