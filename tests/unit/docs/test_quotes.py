"""What the pages quote of the program's sentences is what it says."""

from __future__ import annotations

from core.outcome.reach import Unreachable
from core.outcome.stop import StillRunning
from tests.support.pages import ROOT, find_spans


def test_the_sentences_of_failed_stops_are_quoted_as_they_are() -> None:
    sentences = (
        Unreachable("10.0.0.3:22", "Connection refused while connecting").sentence(),
        StillRunning((4711, 4712, 4713), 41).sentence(),
    )
    quoted = [span.removesuffix(" …") for span in find_spans(ROOT / "docs" / "using.md") if span.endswith(" …")]
    assert len(quoted) == len(sentences)
    for sentence, quote in zip(sentences, quoted, strict=True):
        assert sentence.startswith(quote)
