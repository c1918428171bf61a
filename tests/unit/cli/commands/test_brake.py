"""`ocpfleet brake` against the API."""

import asyncio
import json

from fastapi import FastAPI

from tests.support.api import entry
from tests.support.cli import Command
from tests.support.fake_store import FakeStore


def test_the_brake_is_pulled_shown_and_released(command: Command, app: FastAPI, store: FakeStore) -> None:
    assert isinstance(app, FastAPI)
    assert command("brake", "status") == (0, "The brake is off.\n", "")
    code, out, _ = command("brake", "pull", "smoke in room 3")
    assert code == 0
    shown, advice = out.splitlines()
    assert shown.startswith("The brake has been on since 20")
    assert shown.endswith(". admin: smoke in room 3")
    assert advice == "Work that runs goes on to its end. To stop it too: ocpfleet task cancel ID"
    assert command("brake", "status")[1].splitlines() == [shown]
    assert json.loads(command("brake", "status", "--json")[1])["reason"] == "smoke in room 3"

    asyncio.run(store.hosts.put([entry(1)], 0))
    code, _, err = command("stop", "1")
    assert (code, err) == (
        0,
        "The fleet's brake is on: nothing new begins until it is released (`ocpfleet brake status`).\n",
    )
    assert command("task", "show", "1")[2] == err
    assert command("task", "list", "--json")[2] == err
    assert command("brake", "release") == (0, "The brake is off: 1 task that waited went on.\n", "")
    assert json.loads(command("brake", "release", "--json")[1])["republished"] == 1
    assert json.loads(command("brake", "pull", "again", "--json")[1])["braked"]


def test_an_empty_reason_is_refused(command: Command, app: FastAPI) -> None:
    assert isinstance(app, FastAPI)
    code, _, err = command("brake", "pull", "")
    assert code == 1
    assert err.startswith("reason: write in one line of at most 300 characters why nothing may start.")
