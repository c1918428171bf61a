"""The program: measures rows, prints the goal table, and writes the results and the plot."""

import argparse
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bench import Bench
from bench.finding import Finding, format_row, write_results
from bench.peers import Peers
from bench.rows.table import ROWS, Row
from bench.sizes import FULL, TINY
from bench.waiting import limit_time

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line."""

    rows: tuple[str, ...]
    tiny: bool
    peers: bool
    workers: int
    directory: Path
    results: Path
    plot: Path | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark. Return 1 if a row could not be measured; a missed goal is not a failure of the benchmark."""
    options = _parse_options(arguments)
    directory = options.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    bench = Bench(TINY if options.tiny else FULL, directory, workers=options.workers, peers=options.peers)
    _say(f"{'row':<72} {'goal':>10} {'measured':>10}  holds")
    findings: list[Finding] = []
    for name in options.rows:
        found = _measure_row(name, ROWS[name], bench)
        findings.extend(found)
        for finding in found:
            _say(format_row(finding))
        write_results(options.results, findings)
    if options.plot and options.peers and "orchestrate" in options.rows:
        _draw(bench, options.results, options.plot)
    return int(any(finding.measured is None for finding in findings))


def _measure_row(name: str, row: Row, bench: Bench) -> Sequence[Finding]:
    """Measure a row. A failure becomes a finding with its reason, so that the other rows are still measured."""
    began = time.perf_counter()
    try:
        with limit_time(row.limit, f"the row {name}"):
            return row.measure(bench)
    except Exception as error:  # noqa: BLE001 - every failure goes into the table
        log = bench.directory / f"{name}-failed.log"
        log.write_text(traceback.format_exc())
        seconds = time.perf_counter() - began
        reason = f"{type(error).__name__} after {seconds:.0f} s: {error} (see {log})"
        return [Finding(f"row {name}", None, None, {}, reason)]


def _draw(bench: Bench, results: Path, picture: Path) -> None:
    python = Peers.install(bench.directory / "venv").find_program("python")
    subprocess.run([python, str(_HERE / "plot.py"), str(results), str(picture)], check=True)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parse_options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.main", description="Measure what orchestration costs.")
    parser.epilog = "A full run writes its results and its plot beside this program, any other run into the directory."
    parser.add_argument("--rows", default="", help=f"the rows, separated by commas: {', '.join(ROWS)} (default: all)")
    parser.add_argument("--tiny", action="store_true", help="only check that it works; the figures mean nothing")
    parser.add_argument("--no-peers", action="store_true", help="do not install and measure other projects' programs")
    parser.add_argument("--workers", type=int, default=1, help="worker processes, ours and a chord's (default: 1)")
    parser.add_argument("--directory", type=Path, default=Path("var/bench"), help="the directory for all files")
    parser.add_argument("--results", type=Path, help="the results file (default: results.json, see below)")
    parser.add_argument("--plot", type=Path, help="the plot (default: cost.svg, see below)")
    given = parser.parse_args(arguments)
    rows = tuple(name.strip() for name in given.rows.split(",") if name.strip()) or tuple(ROWS)
    if unknown := [name for name in rows if name not in ROWS]:
        parser.error(f"there is no row {', '.join(unknown)}; the rows are {', '.join(ROWS)}")
    place = _HERE if rows == tuple(ROWS) and not given.no_peers and not given.tiny else given.directory
    return Options(
        rows=rows,
        tiny=given.tiny,
        peers=not given.no_peers,
        workers=given.workers,
        directory=given.directory,
        results=given.results or place / "results.json",
        plot=None if given.tiny else given.plot or place / "cost.svg",
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaving the contexts stops all child processes
    sys.exit(main())
