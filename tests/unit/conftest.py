"""Unit tests open no sockets; the pair that an event loop wakes itself with is no connection."""

import pytest
import structlog
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True, scope="session")
def _short_tracebacks() -> None:
    """Write a fault's traceback without the values of its variables: they take seconds, and nobody reads them."""
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback
