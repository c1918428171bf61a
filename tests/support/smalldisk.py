"""A disk that can be full: a small tmpfs in a mount namespace of its own, which no user needs to be root for."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ENOSPC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_MOUNT = 'mount -t tmpfs -o size="$1" full "$2" && echo mounted && exec cat'
"""Holds the namespace until its standard input ends, as it does when we end."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted tmpfs. Only programs that run `within` see it at its place."""

    place: Path
    """Where those programs see it."""
    holder: int
    """The process whose namespace it is."""

    @property
    def within(self) -> Sequence[str]:
        """What a command begins with that shall see the disk."""
        return ("nsenter", "--preserve-credentials", "--user", "--mount", f"--target={self.holder}", "--")

    def fill(self) -> None:
        """Leave no byte free."""
        with (self._seen_from_here / "ballast").open("ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                _write_while_there_is_room(ballast.fileno(), size)

    def make_room(self) -> None:
        """Take away what `fill` wrote."""
        (self._seen_from_here / "ballast").unlink()

    @property
    def _seen_from_here(self) -> Path:
        return type(self.place)(f"/proc/{self.holder}/root") / self.place.relative_to("/")


def _write_while_there_is_room(file: int, size: int) -> None:
    try:
        while os.write(file, bytes(size)) == size:
            pass
    except OSError as error:
        if error.errno != ENOSPC:
            raise


@contextmanager
def small_disk(place: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many MiB; it is gone with all that is on it when the context ends."""
    place.mkdir(parents=True)
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", f"{mebibytes}m", str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        said = holder.stdout.readline()
        assert said == "mounted\n", f"this machine lets nobody mount a tmpfs in a user namespace (unshare -Urm): {said}"
        yield SmallDisk(place, holder.pid)
        holder.communicate("")
