"""Asserts of shared helpers explain themselves like those of any test."""

import pytest

pytest.register_assert_rewrite("tests.support")
