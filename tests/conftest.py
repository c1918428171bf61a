"""Asserts of shared helpers explain themselves like those of any test. No property test judges time.

Ctrl-C reaches the programs that tests start, also where the tests run in the background of a shell, which has its
children ignore it.
"""

import signal

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.support")

from tests.support.property_tests import scale_examples  # noqa: E402 - its asserts are rewritten only after that line

settings.register_profile(
    "patient", deadline=None, max_examples=scale_examples(100), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
