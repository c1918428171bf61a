"""Sentences as values."""

import copy
import pickle
from collections.abc import Callable

import orjson
import pytest

from core.errors import NotFound, UnknownHosts
from core.text import Text, say

CHINESE = {
    "There is no host {id}; {rule}.": "没有主机 {id}，{rule}。",
    "only what is {status} goes": "只有 {status} 可以",
}
NESTED = say("There is no host {id}; {rule}.", id=7, rule=say("only what is {status} goes", status="FAILED"))


def test_a_text_is_its_english_sentence() -> None:
    assert NESTED == "There is no host 7; only what is FAILED goes."
    assert (str(NESTED), type(str(NESTED))) == (NESTED, str)
    assert orjson.dumps({"message": NESTED}) == b'{"message":"There is no host 7; only what is FAILED goes."}'
    assert str(NotFound(NESTED)) == NotFound(NESTED).sentence == NESTED


def test_a_text_is_translated_with_all_that_is_in_it() -> None:
    assert NESTED.translate_with(CHINESE) == "没有主机 7，只有 FAILED 可以。"
    assert NESTED.translate_with({}) == NESTED


def test_a_part_without_a_translation_stays_english() -> None:
    assert say("only what is {status} goes", status=say("lost")).translate_with(CHINESE) == "只有 lost 可以"


def test_what_a_client_sent_is_never_taken_for_a_template() -> None:
    text = say("only what is {status} goes", status="{id} {0.__class__}")
    assert text == "only what is {id} {0.__class__} goes"
    assert text.translate_with(CHINESE) == "只有 {id} {0.__class__} 可以"


def pickle_and_load(text: Text) -> object:
    return pickle.loads(pickle.dumps(text))  # noqa: S301 - what it loads is our own


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, pickle_and_load])
def test_a_copy_is_a_text_too(make_copy: Callable[[Text], object]) -> None:
    other = make_copy(NESTED)
    assert isinstance(other, Text)
    assert (other, other.translate_with(CHINESE)) == (NESTED, NESTED.translate_with(CHINESE))


def test_unknown_hosts_are_named_up_to_twenty() -> None:
    assert "not in the inventory: 1, 2. List" in UnknownHosts((1, 2)).sentence
    assert "19, 20 and 5 more. List" in UnknownHosts(tuple(range(1, 26))).sentence
