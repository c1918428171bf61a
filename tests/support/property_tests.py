"""How many examples property tests run: `pytest --hypothesis-profile=long` runs ten times as many as usual."""

from hypothesis import settings

LONG = "long"
"""The name of the profile."""

LONG_FACTOR = 10


def scale_examples(usual: int) -> int:
    """Return how many examples a property test runs that runs so many as a rule."""
    return usual * LONG_FACTOR if settings.get_current_profile_name() == LONG else usual
