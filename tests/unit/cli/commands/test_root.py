"""All commands together: the help, and errors in settings."""

import pytest

from tests.support.cli import Command


def test_a_wrong_setting_is_one_sentence(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPFLEET_API_PORT", "99999")
    code, out, err = command("api")
    assert (code, out) == (2, "")
    assert err.startswith("OCPFLEET_API_PORT=99999: ")
    assert len(err.splitlines()) == 1


def test_the_help_names_every_command(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    for name in ("api", "worker", "flower", "hosts", "user", "key"):
        assert name in out
