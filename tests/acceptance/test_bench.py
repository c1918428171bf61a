"""The benchmark with tiny sizes: the table and the results come out. No figure is asserted, only that there is one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench import main as bench
from bench.rows.table import ROWS, Row

if TYPE_CHECKING:
    from pathlib import Path

    from bench.finding import Finding

TITLES = {
    "accept": ["accept 1 host, p50 over HTTP, against an empty route", "accept 60 hosts against 1 host"],
    "orchestrate": [
        "orchestrate 20 stub hosts, hosts/s, against a stock Celery chord",
        "orchestrate 60 stub hosts, hosts/s, against a stock Celery chord",
    ],
    "ssh": [
        "stop 20 hosts over SSH: wall against the asyncssh floor",
        "…: CPU of API, worker and store against the floor's",
    ],
    "one-host": ["one stub host, accepted to SUCCESSFUL, in round trips that write"],
    "record": [
        "read a task's progress, 60 hosts against 5",
        "store bytes per host of a finished task, without logs",
        "…, with its logs",
    ],
    "memory": ["memory of a worker with 20 hosts in flight over SSH"],
    "wedged": ["60 stub hosts, 1 of 20 wedged: time of the others, against none"],
    "behind": ["one host behind a running task of 60: time to the claim of its host"],
    "idle": ["an idle system: CPU of API and worker, which also reconciles"],
}


@pytest.mark.parametrize("row", TITLES)
def test_a_row_comes_out_with_its_figures(row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.json"

    code = bench.main(
        ["--tiny", "--no-peers", "--rows", row, "--directory", str(tmp_path / "run"), "--results", str(results)]
    )

    table = capsys.readouterr().out
    found = json.loads(results.read_text())
    assert code == 0, table
    assert [one["row"] for one in found] == TITLES[row]
    for one in found:
        assert set(one) == {"row", "goal", "measured", "holds", "raw"}
        assert isinstance(one["measured"], float)
        assert isinstance(one["holds"], bool)
        assert one["raw"]
        assert one["row"] in table
        assert one["goal"] in table


def test_a_row_that_fails_is_told_and_the_next_one_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> list[Finding]:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(bench, "ROWS", {**ROWS, "idle": Row(broken, 5)})
    results = tmp_path / "results.json"

    code = bench.main(
        ["--tiny", "--rows", "idle,accept", "--directory", str(tmp_path / "run"), "--results", str(results)]
    )

    table = capsys.readouterr().out
    failed, *others = json.loads(results.read_text())
    assert code == 1
    assert (failed["row"], failed["goal"], failed["measured"], failed["holds"]) == ("row idle", "—", None, False)
    assert "RuntimeError after 0 s: no such luck" in failed["reason"]
    assert failed["reason"] in table
    assert [one["row"] for one in others] == TITLES["accept"]


def test_a_row_that_takes_too_long_is_broken_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "ROWS", {"idle": Row(ROWS["idle"].measure, 0.05)})

    code = bench.main(
        ["--tiny", "--rows", "idle", "--directory", str(tmp_path / "run"), "--results", str(tmp_path / "results.json")]
    )

    assert code == 1
    assert "the row idle took longer than 0.05 s and was broken off" in capsys.readouterr().out


def test_a_row_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--rows", "idel"])

    assert "there is no row idel; the rows are accept, orchestrate" in capsys.readouterr().err
