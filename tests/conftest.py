"""Asserts of shared helpers explain themselves like those of any test. Property tests can run longer."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.support")

# `pytest --hypothesis-profile=long`; tests with a number of their own take part by tests.support.property_tests.
settings.register_profile("long", max_examples=1_000)
