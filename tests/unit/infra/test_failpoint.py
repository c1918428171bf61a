"""A process can be told to die at a place; nothing else happens anywhere."""

from __future__ import annotations

import os
import signal

import pytest

from core.errors import Misconfigured
from infra.failpoint import ApiFailpoint, WorkerFailpoint, ignore_failpoint, make_failpoint_hook
from infra.settings import ApiSettings, WorkerSettings, load_settings

EVERY = (*ApiFailpoint, *WorkerFailpoint)


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    kills: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda *what: kills.append(what))
    return kills


def test_a_process_that_is_told_nothing_passes_every_place(kills: list[tuple[int, int]]) -> None:
    assert make_failpoint_hook(None) is ignore_failpoint
    for place in EVERY:
        ignore_failpoint(place)
    assert kills == []


@pytest.mark.parametrize("chosen", EVERY)
def test_a_process_kills_itself_at_the_place_that_it_is_told(
    kills: list[tuple[int, int]], chosen: ApiFailpoint | WorkerFailpoint
) -> None:
    passes = make_failpoint_hook(chosen)
    for place in EVERY:
        if place is not chosen:
            passes(place)
    assert kills == []
    passes(chosen)
    assert kills == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize(
    ("settings", "place"), [(ApiSettings, "claimed"), (WorkerSettings, "stored"), (WorkerSettings, "anywhere")]
)
def test_a_place_that_the_process_never_passes_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: type[ApiSettings | WorkerSettings], place: str
) -> None:
    assert load_settings(settings).failpoint is None
    monkeypatch.setenv("OCPFLEET_FAILPOINT", place)
    with pytest.raises(Misconfigured, match=f"OCPFLEET_FAILPOINT={place}: "):
        load_settings(settings)
