"""A process can be told to die at a place; nothing else happens anywhere."""

from __future__ import annotations

import os
import signal

import pytest

from core.errors import Misconfigured
from infra.failpoint import ApiFailpoint, WorkerFailpoint, nowhere, passing
from infra.settings import ApiSettings, WorkerSettings, load

EVERY = (*ApiFailpoint, *WorkerFailpoint)


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda *what: killed.append(what))
    return killed


def test_a_process_that_is_told_nothing_passes_every_place(killed: list[tuple[int, int]]) -> None:
    assert passing(None) is nowhere
    for place in EVERY:
        nowhere(place)
    assert killed == []


@pytest.mark.parametrize("chosen", EVERY)
def test_a_process_kills_itself_at_the_place_that_it_is_told(
    killed: list[tuple[int, int]], chosen: ApiFailpoint | WorkerFailpoint
) -> None:
    passes = passing(chosen)
    for place in EVERY:
        if place is not chosen:
            passes(place)
    assert killed == []
    passes(chosen)
    assert killed == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize(
    ("settings", "place"), [(ApiSettings, "claimed"), (WorkerSettings, "stored"), (WorkerSettings, "anywhere")]
)
def test_a_place_that_the_process_never_passes_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: type[ApiSettings | WorkerSettings], place: str
) -> None:
    assert load(settings).failpoint is None
    monkeypatch.setenv("OCPFLEET_FAILPOINT", place)
    with pytest.raises(Misconfigured, match=f"OCPFLEET_FAILPOINT={place}: "):
        load(settings)
