"""Plots the cost against the number of hosts: `python plot.py results.json plot.svg`.

It runs in the virtual environment of the benchmark, and imports nothing of this project.
"""

import json
import sys
from pathlib import Path
from statistics import median

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

_LINES = (
    ("chord_s", "Celery chord, one message a host", "#b45309", "s"),
    ("ours_s", "ocpfleet, accepted to SUCCESSFUL", "#1d4ed8", "o"),
    ("accept_s", "ocpfleet, request to reply", "#0f766e", "^"),
)


def draw(results: Path, picture: Path) -> None:
    """Draw the plot.

    Raises:
        LookupError: the results do not contain the figures.
    """
    rows = json.loads(results.read_text())
    growth = next((row["raw"]["growth"] for row in rows if "growth" in row["raw"]), None)
    if growth is None:
        raise LookupError(f"{results} has no figures of the row orchestrate")
    mpl.rcParams.update({"svg.hashsalt": "ocpfleet", "svg.fonttype": "none", "font.family": "sans-serif"})
    figure, axes = plt.subplots(figsize=(7, 4.2))
    hosts = [step["hosts"] for step in growth]
    for name, label, colour, marker in _LINES:
        axes.loglog(hosts, [median(step[name]) for step in growth], marker=marker, color=colour, label=label)
    axes.set_xlabel("hosts of one task (stub hosts, one worker process)")
    axes.set_ylabel("seconds")
    axes.set_xticks(hosts, [f"{number:,}" for number in hosts])
    axes.minorticks_off()
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
