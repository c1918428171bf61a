"""Wrong passwords slow the attacker."""

import asyncio
from base64 import b64encode

import httpx
import pytest
from typing_extensions import override

from app.auth.authenticator import AuthenticationLimits, Authenticator
from app.auth.basic import Credentials
from app.auth.lockout import Lockout, LockoutRules, network_of
from app.auth.passwords import Passwords
from core.errors import LoginBlocked
from core.user import Role, User
from tests.support.api import Api, running_api
from tests.support.fake_store import FakeStore, let_pass

HOSTS = "/api/v2/compute/hosts"
HERE, THERE = "10.0.0.1", "10.0.0.2"
RIGHT, WRONG = Credentials("ann", "ann-pw"), Credentials("ann", "no")
DEFAULT = AuthenticationLimits()
RULES = LockoutRules(per_pair=3, per_user=5, per_address=12, lapses=60)


class Counting(Passwords):
    def __init__(self) -> None:
        self.matched: list[str] = []

    @override
    def hash(self, password: str) -> str:
        return password

    @override
    def matches(self, password_hash: str, password: str) -> bool:
        self.matched.append(password)
        return password_hash == password


class World:
    """A store, and API processes over it. Tests let time pass for all of them."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.store = FakeStore()
        self.passwords = Counting()

    async def let_pass(self, milliseconds: int) -> None:
        self.now += milliseconds
        await let_pass(self.store, milliseconds)

    async def process(self, rules: LockoutRules = RULES, limits: AuthenticationLimits = DEFAULT) -> Authenticator:
        await self.store.users.put(User(0, "ann", "ann-pw", frozenset()))
        lockout = Lockout(self.store.guard, rules)
        return Authenticator(self.store.users, self.passwords, lockout, limits, lambda: self.now / 1000)


@pytest.fixture
def world() -> World:
    return World()


async def fail(checking: Authenticator, times: int, credentials: Credentials = WRONG, source: str = HERE) -> None:
    for _ in range(times):
        assert await checking.authenticate(credentials, source) is None


async def blocked(checking: Authenticator, credentials: Credentials = RIGHT, source: str = HERE) -> LoginBlocked:
    with pytest.raises(LoginBlocked) as refused:
        await checking.authenticate(credentials, source)
    return refused.value


async def test_who_is_locked_out_costs_no_hash_in_any_process(world: World) -> None:
    one, other = await world.process(), await world.process()
    await fail(one, 2)
    await fail(other, 1)
    world.passwords.matched.clear()
    for checking in (one, other):
        assert (await blocked(checking)).retry_after == 60
        assert (await blocked(checking, WRONG)).code == 30007
    assert world.passwords.matched == []
    assert await one.authenticate(RIGHT, THERE), "another address is heard"


async def test_it_ends_by_itself(world: World) -> None:
    checking = await world.process()
    await fail(checking, 3)
    await world.let_pass(59_001)
    assert (await blocked(checking)).retry_after == 1
    await world.let_pass(999)
    assert await checking.authenticate(RIGHT, HERE)


async def test_a_right_password_in_between_starts_anew(world: World) -> None:
    checking = await world.process(limits=AuthenticationLimits(remember=0))
    for _ in range(2):
        await fail(checking, 2)
        assert await checking.authenticate(RIGHT, HERE)
    await fail(checking, 1)
    assert (await blocked(checking, source=THERE)).retry_after == 60, "the user's own count goes on"
    assert await checking.authenticate(RIGHT, HERE), "but a known address is heard"


async def test_many_addresses_lock_the_user_but_not_where_it_is_known(world: World) -> None:
    checking = await world.process(limits=AuthenticationLimits(remember=0))
    assert await checking.authenticate(RIGHT, HERE)
    for number in range(5):
        await fail(checking, 1, source=f"10.1.0.{number}")
    await blocked(checking, source="10.1.0.9")
    assert await checking.authenticate(RIGHT, HERE)
    await fail(checking, 3)
    await blocked(checking), "known or not, an address has its own count"


async def test_who_tries_many_names_is_not_heard_at_that_address_but_who_is_known_there_is(world: World) -> None:
    checking = await world.process(limits=AuthenticationLimits(remember=0))
    assert await checking.authenticate(RIGHT, HERE)
    for number in range(12):
        await fail(checking, 1, Credentials(f"name-{number}", "x"))
    assert (await blocked(checking, Credentials("name-12", "x"))).sentence.startswith(
        "Too many wrong passwords from your address. No password is checked for now."
    )
    assert await checking.authenticate(RIGHT, HERE)


async def test_what_was_proved_lately_stands(world: World) -> None:
    checking = await world.process()
    assert await checking.authenticate(RIGHT, HERE)
    await fail(checking, 3)
    assert await checking.authenticate(RIGHT, HERE)
    await blocked(checking, WRONG)


async def test_a_name_that_nobody_has_is_locked_out_alike(world: World) -> None:
    checking = await world.process()
    nobody = Credentials("nobody", "x")
    await fail(checking, 3, nobody)
    assert (await blocked(checking, nobody)).sentence == (
        "Too many wrong passwords for this user name from your address. No password is checked for now. Try again in "
        "60 s."
    )


async def test_who_waits_for_a_hash_is_looked_at_again(world: World) -> None:
    checking = await world.process(limits=AuthenticationLimits(max_hashing=1))
    flood = (checking.authenticate(WRONG, HERE) for _ in range(20))
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert [type(answer) for answer in answers].count(LoginBlocked) == 17
    assert len(world.passwords.matched) == 3


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_what_counts_as_one_source(source: str, network: str) -> None:
    assert network_of(source) == network


async def basic(api: Api, name: str, password: str) -> httpx.Response:
    header = f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"
    return await api.client.get(HOSTS, auth=None, headers={"authorization": header})


async def test_the_reply_says_when_to_try_again() -> None:
    async with running_api(login_failures=2, login_lockout=90) as api:
        await api.user("ann", Role.HOST_VIEWER)
        for _ in range(2):
            answer = await basic(api, "ann", "no")
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, 30004)
        answer = await basic(api, "ann", "ann-password")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, 30007)
        assert 85 <= int(answer.headers["retry-after"]) <= 90
        assert answer.headers["www-authenticate"]
        assert (await api.client.get(HOSTS)).status_code == 200
