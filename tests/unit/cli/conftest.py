"""The commands over a store on a simulated Redis, and over an API that works on it."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cli import direct_store
from cli.main import main
from cli.remote import client
from cli.remote.address import Address
from core.user import Role, User
from infra.logs import configure_logging
from infra.settings import ApiSettings
from tests.support.api import CHEAP, RecordingDispatcher, lend_app
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    kept = FakeStore()

    async def pass_check() -> None:
        """Skip what the real check asks a server: a simulated one does not know INFO."""

    monkeypatch.setattr(kept, "check", pass_check)
    monkeypatch.setattr(direct_store, "open_store", lambda: kept)
    return kept


@pytest.fixture
def command(store: FakeStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `ocpfleet` with words; return its exit status and both outputs."""
    assert direct_store.open_store() is store

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ocpfleet", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        out, err = capsys.readouterr()
        return code if isinstance(code, int) else 0, out, err

    return run


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("OCPFLEET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def app(store: FakeStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FastAPI]:
    """Let the commands speak to the real API over the store, as its user `admin`."""
    configure_logging("json", "error")  # the API's lines would stand among the command's
    settings = ApiSettings(server_address="10.9.8.7", key_file=tmp_path / "key", rate_limit=False)
    asyncio.run(store.users.put(User(0, "admin", CHEAP.hash("admin-password"), frozenset({Role.ADMIN}))))
    monkeypatch.setenv("OCPFLEET_API_USER", "admin")
    monkeypatch.setenv("OCPFLEET_API_PASSWORD", "admin-password")
    with lend_app(settings, store, RecordingDispatcher()) as app:

        def open_http(address: Address) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app)
            return httpx.AsyncClient(base_url=f"{address.url}/api/v2", auth=address.auth, transport=transport)

        monkeypatch.setattr(client, "open_http", open_http)
        yield app
