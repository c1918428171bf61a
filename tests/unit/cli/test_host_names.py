"""Hosts by id, alias and pattern."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.host_names import HostName, choose_hosts, fold_names, read_host_names
from core.errors import InvalidRequest

WEB = [HostName(1000 + number, f"web-{number}") for number in range(1, 21)]
HOSTS = [
    *WEB,
    HostName(7, None),
    HostName(8, "9"),
    HostName(9, None),
    HostName(10, "a,b"),
    HostName(11, "db[old]"),
    HostName(12, "@all"),
]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["web-[1-3]"], [1001, 1002, 1003]),
        (["web-3", "web-[1-3]"], [1003, 1001, 1002]),
        (["1002", "web-2", "web-[2,4]"], [1002, 1004]),
        (["[1001-1003]"], [1001, 1002, 1003]),
        (["web-[1-7/3],7"], [1001, 1004, 1007, 7]),
        (["a,b"], [10]),
        (["db[old]"], [11]),
        (["@all"], [12]),
    ],
)
def test_words_name_hosts(words: list[str], ids: list[int]) -> None:
    assert [host.id for host in choose_hosts(words, HOSTS)] == ids


def test_all_unknown_names_are_in_one_error() -> None:
    with pytest.raises(InvalidRequest) as refused:
        choose_hosts(["web-[19-25]", "nope", "99", "web-[01-02]", "web-*"], HOSTS)
    assert refused.value.sentence == (
        "Not in the inventory: 99, nope, web-[01-02,21-25], web-*. Nothing was done. "
        "`ocpfleet hosts list` shows all hosts."
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("9", "9 is ambiguous: it is an id and an alias (host 8 and host 9). Nothing was done."),
        ("web-[1-", "'web-[1-' is not a valid pattern (missing bracket: \"web-[1-\"). Write web-[1-20]"),
        ("web-[3-1]", "'web-[3-1]' is not a valid pattern"),
        ("[----]", "'[----]' is not a valid pattern"),
        ("", "'' does not name a host."),
        ("web-[1-4000000000]", "web-[1-4000000000] names more than 100000 hosts."),
        ("a[1-99999]b[1-99999]", "a[1-99999]b[1-99999] names more than 100000 hosts."),
        ("@group", "Not in the inventory: @group."),
    ],
)
def test_invalid_words(word: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        choose_hosts([word], HOSTS)
    assert refused.value.sentence.startswith(said)


def test_names_are_folded_for_people() -> None:
    assert fold_names(["web-1", "web-2", "web-10", "db 1", "web-2"]) == "web-[1-2,10], db 1"
    assert fold_names([]) == ""


def test_ids_that_come_as_strings() -> None:
    assert read_host_names([{"id": "9223372036854775807", "alias": None}]) == [HostName(2**63 - 1, None)]


@given(st.text(max_size=30))
def test_any_word_is_found_or_refused(word: str) -> None:
    with suppress(InvalidRequest):
        assert choose_hosts([word], HOSTS)
