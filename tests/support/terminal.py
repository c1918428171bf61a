"""A terminal with a program in it: what a person would see and type."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_C = "\x03"


@dataclass
class Terminal:
    """A running program and what it wrote so far."""

    process: subprocess.Popen[bytes]
    master: int
    _written: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that was written, without what steers the terminal."""
        return _ESCAPES.sub("", b"".join(self._written).decode(errors="replace")).replace("\r\n", "\n")

    def expect(self, pattern: str, timeout: float = 30) -> None:
        """Wait until a pattern was written."""
        wait_until(lambda: re.search(pattern, self.text), timeout, f"{pattern!r} to be written:\n{self.text}")

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.master, text.encode())

    def ended(self, timeout: float = 30) -> int:
        """Wait until the program has ended; return its exit code."""
        return self.process.wait(timeout)

    def listen(self) -> None:
        """Keep what is written, until nobody writes any more."""
        while True:
            try:
                piece = os.read(self.master, 65536)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return
            if not piece:
                return
            self._written.append(piece)


@contextmanager
def terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program in a terminal of its own, 100 columns wide; it is killed at the end if it still runs."""
    master, slave = os.openpty()
    # A session leader without a terminal gets the one that it opens first: Ctrl-C reaches the program then.
    opening = ["sh", "-c", 'tty=$1; shift; exec "$@" <"$tty" >"$tty" 2>&1', "sh", os.ttyname(slave), *command]
    size = {"COLUMNS": "100", "LINES": "40", "TERM": "xterm"}
    with subprocess.Popen(opening, env={**environment, **size}, start_new_session=True) as process:
        shown = Terminal(process, master)
        listener = threading.Thread(target=shown.listen)
        listener.start()
        try:
            yield shown
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(10)
            os.close(slave)
            listener.join(10)
            os.close(master)
