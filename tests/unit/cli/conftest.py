"""The commands over a store in memory."""

import sys
from collections.abc import Callable

import pytest

from cli import session
from cli.main import main
from infra.store.memory.store import MemoryStore

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    kept = MemoryStore()
    monkeypatch.setattr(session, "open_store", lambda: kept)
    return kept


@pytest.fixture
def command(store: MemoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `ocpfleet` with words; return its exit status and both outputs."""
    assert session.open_store() is store

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ocpfleet", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        out, err = capsys.readouterr()
        return code if isinstance(code, int) else 0, out, err

    return run
