"""Keeps what a command writes in bounded memory."""

from core.journal import OUTPUT_LIMIT

_NOTE_SIZE = 64
"""Bytes set aside for the line that says how much is missing."""
_HALF = (OUTPUT_LIMIT - _NOTE_SIZE) // 2
"""Bytes kept of the head, and again of the tail."""


class BoundedOutput:
    """Head and tail of one output stream, `core.journal.OUTPUT_LIMIT` bytes in all; the middle is dropped."""

    __slots__ = ("_head", "_tail", "_total")

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def feed(self, data: bytes) -> None:
        """Add the next piece of the stream."""
        self._total += len(data)
        room = _HALF - len(self._head)
        if room:
            self._head += data[:room]
            data = data[room:]
        self._tail += data[-_HALF:]
        if len(self._tail) > 2 * _HALF:  # only now and then: each cut moves the tail
            del self._tail[:-_HALF]

    def text(self) -> str:
        """Return what was kept, undecodable bytes replaced, with a line that says how much is missing, if any."""
        tail = self._tail[-_HALF:]
        missing = self._total - len(self._head) - len(tail)
        if not missing:
            return (self._head + tail).decode(errors="replace")
        note = f"\n… {missing} bytes left out …\n"
        return self._head.decode(errors="replace") + note + tail.decode(errors="replace")
