"""Unit tests open no sockets; the pair that an event loop wakes itself with is no connection."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    disable_socket(allow_unix_socket=True)
