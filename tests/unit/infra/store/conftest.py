"""Asserts of the shared contract explain themselves like those of any test."""

import pytest

pytest.register_assert_rewrite("tests.support.store_contract", "tests.support.records", "tests.support.keepers")
