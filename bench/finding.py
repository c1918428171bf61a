"""A row of the goal table: the goal, the measured figure, and whether it meets the goal."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

_TIMES = "\N{MULTIPLICATION SIGN}"
_WHOLE_FROM = 100
"""Figures from here on are shown without a fraction."""

Raw = Mapping[str, object]
"""The figures behind a row; a name ends in its unit (`_s`, `_ms`, `_bytes`, `_mb`, `_per_s`)."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for one figure."""

    limit: float
    """The bound."""
    unit: str
    """Its unit; `x` for a ratio."""
    at_least: bool = False
    """Whether the figure must be at least the limit; otherwise at most."""

    @override
    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {format_figure(self.limit, self.unit)}"

    def is_met_by(self, figure: float) -> bool:
        """Return whether a figure meets the goal."""
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    row: str
    """What was measured."""
    goal: Goal | None
    """None if the whole row could not be measured."""
    measured: float | None
    """The figure in the goal's unit; None if it could not be measured."""
    raw: Raw = field(default_factory=dict)
    reason: str | None = None
    """Why it could not be measured; None if it was."""

    @property
    def holds(self) -> bool:
        """Whether the goal is met; False if the figure could not be measured."""
        return self.measured is not None and self.goal is not None and self.goal.is_met_by(self.measured)

    @property
    def figure(self) -> str:
        """The measured figure as the table shows it."""
        return "failed" if self.measured is None or self.goal is None else format_figure(self.measured, self.goal.unit)

    def to_document(self) -> dict[str, object]:
        """Return the row for the results file."""
        document: dict[str, object] = {
            "row": self.row,
            "goal": str(self.goal or "—"),
            "measured": self.measured,
            "holds": self.holds,
            "raw": dict(self.raw),
        }
        return document | ({"reason": self.reason} if self.reason else {})


def format_figure(figure: float, unit: str) -> str:
    """Return a figure with its unit; for a ratio, with a multiplication sign."""
    digits = f"{figure:.0f}" if figure >= _WHOLE_FROM else f"{figure:.3g}"
    return f"{digits}{_TIMES}" if unit == "x" else f"{digits} {unit}"


def write_results(path: Path, findings: Iterable[Finding]) -> None:
    """Write the results file: a JSON list of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    documents = [finding.to_document() for finding in findings]
    path.write_text(json.dumps(documents, indent=2, ensure_ascii=False) + "\n")


def format_row(finding: Finding) -> str:
    """Return a line of the printed table; a second line says why a figure could not be measured."""
    verdict = "yes" if finding.holds else "NO"
    line = f"{finding.row:<72} {finding.goal or '—'!s:>10} {finding.figure:>10}  {verdict}"
    return f"{line}\n    {finding.reason}" if finding.reason else line
