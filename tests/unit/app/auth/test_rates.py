"""How many requests a user may make."""

from pathlib import Path

import pytest

from app.auth.rates import RateLimiter, RateRules
from core.user import Role, User
from tests.support.api import NOW, Api, running_api
from tests.support.signing import access_key

HOSTS = "/api/v2/compute/hosts"
ANN, BOB = (User(number, name, "", frozenset()) for number, name in ((100, "ann"), (101, "bob")))


class Clock:
    now = 4_711.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_every_authenticated_reply_says_how_much_is_left() -> None:
    async with running_api(rate_limit_10_seconds=3) as api:
        viewer = await api.user("viewer", Role.HOST_VIEWER)
        answers = [
            await api.client.get(HOSTS, auth=viewer),
            await api.client.get("/api/v2/tasks/instances/1", auth=viewer),
            await api.client.get(f"{HOSTS}/9", auth=viewer),
        ]
        assert [answer.status_code for answer in answers] == [200, 403, 404]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0"]
        assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
        assert all(1 <= int(answer.headers["ratelimit-reset"]) <= 10 for answer in answers)
        answer = await api.stop([2], auth=viewer)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == answer.headers["ratelimit-reset"]
        assert answer.headers["ratelimit-remaining"] == "0"
        error = answer.json()["error"]
        assert error["code"] == 0
        assert error["message"].startswith("User viewer made more than 3 requests in 10 s. This request was not done. ")
        assert (await api.client.get(HOSTS)).status_code == 200, "others are not affected"


async def test_who_is_not_authenticated_is_told_nothing(api: Api) -> None:
    answer = await api.client.get(HOSTS, auth=("admin", "wrong"))
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


async def test_a_signature_counts_for_its_user(tmp_path: Path) -> None:
    async with running_api(key_file=tmp_path / "key") as api:
        await api.client.get(HOSTS)
        answer = await api.client.get(HOSTS, auth=await access_key(api.store, tmp_path / "key", "admin", NOW))
        assert answer.headers["ratelimit-remaining"] == str(int(answer.headers["ratelimit-limit"]) - 2)


async def test_off_by_a_setting() -> None:
    async with running_api(rate_limit=False, rate_limit_10_seconds=1) as api:
        for _ in range(3):
            answer = await api.client.get(HOSTS)
            assert answer.status_code == 200
            assert "ratelimit-limit" not in answer.headers


@pytest.mark.parametrize(
    ("window", "seconds", "words"),
    [
        ("per_10_seconds", 10, "10 s"),
        ("per_minute", 60, "1 min"),
        ("per_hour", 3600, "1 h"),
        ("per_day", 86_400, "1 day"),
    ],
)
async def test_each_window_ends(clock: Clock, window: str, seconds: int, words: str) -> None:
    rules = RateRules(**{name: 2 if name == window else 100 for name in RateRules.__slots__})
    rates = RateLimiter(rules, clock)
    stood = [await rates.count(ANN) for _ in range(3)]
    assert [(one.limit, one.remaining, one.exceeded, one.window) for one in stood] == [
        (2, 1, False, words),
        (2, 0, False, words),
        (2, 0, True, words),
    ]
    assert stood[-1].reset == seconds
    assert not (await rates.count(BOB)).exceeded
    clock.now += seconds
    assert not (await rates.count(ANN)).exceeded


async def test_a_request_that_was_refused_does_not_count_in_longer_windows(clock: Clock) -> None:
    rates = RateLimiter(RateRules(per_10_seconds=1, per_minute=3, per_hour=100, per_day=100), clock)
    for _ in range(3):
        assert not (await rates.count(ANN)).exceeded
        assert (await rates.count(ANN)).window == "10 s"
        clock.now += 10
    assert (await rates.count(ANN)).window == "1 min"
