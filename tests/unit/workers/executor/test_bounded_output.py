from __future__ import annotations

import tracemalloc

from core.journal import OUTPUT_LIMIT, clip
from workers.executor.bounded_output import BoundedOutput


def test_short_output_is_kept_whole() -> None:
    output = BoundedOutput()
    for piece in (b"one ", b"", b"tw\xc3", b"\xb6 \xff"):
        output.feed(piece)

    assert output.text() == "one twö \ufffd"


def test_head_and_tail_of_long_output_are_kept_within_the_limit() -> None:
    output = BoundedOutput()
    for number in range(100_000):
        output.feed(b"%09d\n" % number)
    text = output.text()

    assert text.startswith("000000000\n000000001\n")
    assert text.endswith("000099998\n000099999\n")
    assert "bytes left out" in text
    assert len(text.encode()) <= OUTPUT_LIMIT
    assert clip(text) == text


def test_dropped_output_takes_no_memory() -> None:
    output = BoundedOutput()
    piece = b"x" * 32_768
    tracemalloc.start()
    for _ in range(2_000):
        output.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8 * OUTPUT_LIMIT
    assert f"{2_000 * 32_768 - 2 * ((OUTPUT_LIMIT - 64) // 2)} bytes left out" in output.text()
