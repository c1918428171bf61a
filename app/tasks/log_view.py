"""The log of a subtask as OCP's clients expect it: a separator row before each run, then the run's lines."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from app.http.wire import stamp
from core.journal import Line, RunLog

_RULE: Final = "#" * 12
_INDENT: Final = "    "
"""Before each further row of one line, so that nothing that a host answered can pass for a separator row."""


def log_text(runs: Iterable[RunLog], trace_id: str) -> str:
    """Return the runs' logs in the order given, under the trace id of the request that made the task."""
    return "\n".join(row for run in runs for row in _rows(run, trace_id))


def _rows(run: RunLog, trace_id: str) -> Iterator[str]:
    began = f"{stamp(run.lines[0].at)}" if run.lines else ""
    yield f"{_RULE}{run.operation}{began}{_RULE}"
    for line in run.lines:
        yield _row(line, run, trace_id)


def _row(line: Line, run: RunLog, trace_id: str) -> str:
    at = datetime.fromtimestamp(line.at / 1000, tz=UTC).astimezone()
    text = f"\n{_INDENT}".join(line.text.splitlines())
    moment = f"{at:%Y-%m-%d %H:%M:%S}.{line.at % 1000:03}"
    return f"{moment} {line.level:>5} {run.run_time} --- [{run.executor},{trace_id},] ocpfleet : {text}"
