"""Another time of day for some processes, which may step while they run; their monotonic clock is the machine's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PLACES: Final = ("usr/lib/*/faketime/libfaketimeMT.so.1", "usr/lib*/faketime/libfaketimeMT.so.1")
_UNPACKED: Final = Path(__file__).parents[2] / "var/faketime/root"
"""Where tools/faketime.sh puts it when the machine has none."""


def find_library() -> Path:
    """Return the library that processes are started with."""
    found = [path for root in (Path("/"), _UNPACKED) for place in _PLACES for path in sorted(root.glob(place))]
    assert found, "libfaketime is missing: `sh tools/faketime.sh`, which `make test` runs, gets it"
    return found[0]


@dataclass(frozen=True, slots=True)
class WallClock:
    """A clock on the wall, for the processes that get its environment.

    Args:
        file: says by how much it is off; they read it every second.
    """

    file: Path

    @property
    def environment(self) -> dict[str, Any]:
        """What a process must be started with."""
        self.step(0)
        return {
            "LD_PRELOAD": str(find_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DISABLE_SHM": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def step(self, seconds: int) -> None:
        """Let it be so many seconds off from now on."""
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{seconds:+}\n")
        draft.replace(self.file)  # nobody reads half of it
