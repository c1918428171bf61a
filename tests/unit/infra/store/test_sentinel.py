"""Addresses of Sentinels."""

import pytest

from core.errors import Misconfigured
from infra.store import Store
from infra.store.sentinel import PORT, SentinelAddress, SentinelPool, parse
from infra.store.values import StoreOptions


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("sentinel://h1:1,h2:2/fleet", SentinelAddress((("h1", 1), ("h2", 2)), "fleet", 0, None, None)),
        ("sentinel://h1/fleet?db=3", SentinelAddress((("h1", PORT),), "fleet", 3, None, None)),
        ("sentinel://:s%40cret@h1,h2/f", SentinelAddress((("h1", PORT), ("h2", PORT)), "f", 0, None, "s@cret")),
        ("sentinel://bo:pw@10.0.0.1:7/f/", SentinelAddress((("10.0.0.1", 7),), "f", 0, "bo", "pw")),
        ("sentinel://[::1]:7,[fe80::2]/f", SentinelAddress((("::1", 7), ("fe80::2", PORT)), "f", 0, None, None)),
    ],
)
def test_an_address_reads_as_it_is_meant(url: str, address: SentinelAddress) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sentinel://h1:1", "does not name the primary"),
        ("sentinel://:secret@h1:x/fleet", "'h1:x' is no host"),
        ("sentinel://:secret@h1,,h2/fleet", "'' is no host"),
        ("sentinel://h1/fleet?db=one", "db=one is no database number"),
        ("sentinel://h1/fleet?ssl=1", "ssl: only db can be asked for"),
    ],
)
def test_a_wrong_address_is_refused_with_a_sentence_that_keeps_its_password(url: str, why: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        parse(url)
    assert why in refusal.value.sentence
    assert "sentinel://[user:password@]" in refusal.value.sentence
    assert "secret" not in refusal.value.sentence


async def test_a_store_behind_sentinels_has_the_same_limits_and_login_as_any() -> None:
    pool = SentinelPool(parse("sentinel://bo:pw@h1:1/fleet?db=2"), StoreOptions(timeout=1.5, connections=7))
    arguments = pool.connection_kwargs
    assert (pool.max_connections, pool.timeout, pool.service_name) == (7, 1.5, "fleet")
    assert (arguments["db"], arguments["username"], arguments["password"]) == (2, "bo", "pw")
    assert (arguments["socket_timeout"], arguments["decode_responses"]) == (1.5, True)
    await pool.disconnect()
    await Store.at("sentinel://h1/fleet", StoreOptions()).aclose()
