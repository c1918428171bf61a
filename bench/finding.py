"""What a row of the goal table says: the goal, what was measured, and whether the one is within the other."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

_TIMES = "\N{MULTIPLICATION SIGN}"
_ENOUGH = 100
"""From here on figures are shown without a fraction."""

Raw = Mapping[str, object]
"""The figures behind a row; a name ends in its unit (`_s`, `_ms`, `_bytes`, `_mb`, `_per_s`)."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for one figure."""

    limit: float
    """The figure to keep to."""
    unit: str
    """What it is in: `x` for a ratio."""
    at_least: bool = False
    """Whether more is better."""

    @override
    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {shown(self.limit, self.unit)}"

    def holds(self, figure: float) -> bool:
        """Return whether a figure is within it."""
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    row: str
    """What was measured, in words."""
    goal: Goal | None
    """None where a whole row could not be measured."""
    measured: float | None
    """In the goal's unit; None where it could not be measured."""
    raw: Raw = field(default_factory=dict)
    reason: str | None = None
    """Why it could not be measured."""

    @property
    def holds(self) -> bool:
        """Whether the goal is met. What was not measured is not."""
        return self.measured is not None and self.goal is not None and self.goal.holds(self.measured)

    @property
    def figure(self) -> str:
        """The measured figure the way the table shows it."""
        return "failed" if self.measured is None or self.goal is None else shown(self.measured, self.goal.unit)

    def document(self) -> dict[str, object]:
        """Return it as it stands in the results' file."""
        document: dict[str, object] = {
            "row": self.row,
            "goal": str(self.goal or "—"),
            "measured": self.measured,
            "holds": self.holds,
            "raw": dict(self.raw),
        }
        return document | ({"reason": self.reason} if self.reason else {})


def shown(figure: float, unit: str) -> str:
    """Return a figure with its unit; a ratio ends in a multiplication sign."""
    digits = f"{figure:.0f}" if figure >= _ENOUGH else f"{figure:.3g}"
    return f"{digits}{_TIMES}" if unit == "x" else f"{digits} {unit}"


def write_results(path: Path, findings: Iterable[Finding]) -> None:
    """Write the results' file: a JSON list of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    documents = [finding.document() for finding in findings]
    path.write_text(json.dumps(documents, indent=2, ensure_ascii=False) + "\n")


def table_line(finding: Finding) -> str:
    """Return a row of the printed table, and beneath it why it could not be measured."""
    verdict = "yes" if finding.holds else "NO"
    line = f"{finding.row:<72} {finding.goal or '—'!s:>10} {finding.figure:>10}  {verdict}"
    return f"{line}\n    {finding.reason}" if finding.reason else line
