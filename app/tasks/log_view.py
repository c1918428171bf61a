"""Renders the log of a subtask as OCP's clients expect it: a separator row before each run, then the run's lines."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from app.http.wire import format_time
from core.journal import Line, RunLog

_RULE: Final = "#" * 12
_INDENT: Final = "    "
"""Indents each further row of a line, so that no text of a host can look like a separator row."""


def render_log(runs: Iterable[RunLog], trace_id: str) -> str:
    """Return the logs of runs, in the order given. The trace id is that of the request that made the task."""
    return "\n".join(row for run in runs for row in _render_run(run, trace_id))


def _render_run(run: RunLog, trace_id: str) -> Iterator[str]:
    began = f"{format_time(run.lines[0].at)}" if run.lines else ""
    yield f"{_RULE}{run.operation}{began}{_RULE}"
    for line in run.lines:
        yield _render_line(line, run, trace_id)


def _render_line(line: Line, run: RunLog, trace_id: str) -> str:
    at = datetime.fromtimestamp(line.at / 1000, tz=UTC).astimezone()
    text = f"\n{_INDENT}".join(line.text.splitlines())
    moment = f"{at:%Y-%m-%d %H:%M:%S}.{line.at % 1000:03}"
    return f"{moment} {line.level:>5} {run.run_time} --- [{run.executor},{trace_id},] ocpfleet : {text}"
