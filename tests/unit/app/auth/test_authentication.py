"""Who is let in, and what that costs."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from app.auth.authenticator import AuthenticationLimits, Authenticator
from app.auth.basic import Credentials
from app.auth.lockout import Lockout, LockoutRules
from app.auth.passwords import Passwords
from core.errors import Unavailable
from core.user import Permission, Role, User, roles_granting
from tests.support.api import AGENT_PATHS, CHEAP, STOP, Api
from tests.support.fake_store import FakeStore

READS_HOSTS = "/api/v2/compute/hosts"
READS_TASKS = "/api/v2/tasks/instances/1"
WHO = (
    "The request has no credentials. Send a user name and password with HTTP Basic authentication, or sign the "
    "request with an access key."
)
HERE = "10.0.0.9"
WRONG = "The user name or the password is wrong."


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, WHO),
        ("Bearer abc", WHO),
        ("Basic !!!", WHO),
        (
            "Basic " + b64encode(b"admin").decode(),
            WHO,
        ),
        (
            "Basic " + b64encode(b"\xff:x").decode(),
            WHO,
        ),
        ("Basic " + b64encode(b"admin:wrong").decode(), WRONG),
        ("Basic " + b64encode(b"nobody:admin-password").decode(), WRONG),
        ("Basic " + b64encode(b"admin:" + b"x" * 2000).decode(), WRONG),
        ("Basic " + b64encode(b":").decode(), WRONG),
    ],
)
@pytest.mark.parametrize("path", [STOP, STOP.removeprefix("/api/v2")])
async def test_without_right_credentials(api: Api, header: str | None, message: str, path: str) -> None:
    request = api.client.build_request("POST", path, json={"hostIds": [2]})
    if header:
        request.headers["authorization"] = header
    answer = await api.client.send(request, auth=None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="ocpfleet", charset="UTF-8"'
    assert answer.json()["error"] == {"code": 30004 if message == WRONG else 0, "message": message}
    assert api.dispatcher.submitted == []


async def test_the_scheme_is_read_in_any_case_and_passwords_in_any_script(api: Api) -> None:
    await api.store.users.put(User(0, "zoë", CHEAP.hash("pässwörd:日本"), frozenset({Role.ADMIN})))
    header = "bAsIc " + b64encode("zoë:pässwörd:日本".encode()).decode()
    answer = await api.client.get(READS_HOSTS, auth=None, headers={"authorization": header})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", AGENT_PATHS)
@pytest.mark.parametrize("prefix", ["/api/v2", ""])
async def test_who_may_do_something_to_agents(api: Api, path: str, prefix: str) -> None:
    path = path.removeprefix("/api/v2" if not prefix else "")
    for role in Role:
        auth = await api.user(f"a-{role.lower()}", role)
        answer = await api.ask(path, [2], auth=auth)
        assert answer.status_code == (200 if role in roles_granting(Permission.HOST_CHANGE) else 403)
    assert (await api.ask(path, [2], auth=None)).status_code == 401
    assert len(api.dispatcher.submitted) == len(list(roles_granting(Permission.HOST_CHANGE)))


async def test_what_is_missing_is_said(api: Api) -> None:
    answer = await api.stop([2], auth=await api.user("viewer", Role.HOST_VIEWER))
    assert answer.json()["error"] == {
        "code": 30014,
        "message": "User viewer has no permission HOST:*:CHANGE. Ask for one of the roles ADMIN, HOST_MANAGER or "
        "CLUSTER_MANAGER.",
    }


async def test_permission_comes_before_the_body(api: Api) -> None:
    auth = await api.user("viewer", Role.HOST_VIEWER)
    assert (await api.client.post(STOP, content="nonsense", auth=auth)).status_code == 403


@dataclass
class Counting(Passwords):
    """Counts how often a password is looked at."""

    matched: list[str] = field(default_factory=list)

    @override
    def hash(self, password: str) -> str:
        return password

    @override
    def matches(self, password_hash: str, password: str) -> bool:
        self.matched.append(password)
        return password_hash == password


@dataclass
class Clock:
    """A clock that tests move."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def authenticator(limits: AuthenticationLimits) -> tuple[Authenticator, Counting, Clock]:
    store, passwords, clock = FakeStore(), Counting(), Clock()
    for name in ("ann", "bob"):
        await store.users.put(User(0, name, f"{name}-pw", frozenset()))
    lockout = Lockout(store.guard, LockoutRules(per_pair=100))
    return Authenticator(store.users, passwords, lockout, limits, clock), passwords, clock


async def test_a_success_is_remembered_for_a_while_and_a_failure_is_not() -> None:
    checking, passwords, clock = await authenticator(AuthenticationLimits(remember=60))
    right, wrong = Credentials("ann", "ann-pw"), Credentials("ann", "no")
    for _ in range(3):
        assert await checking.authenticate(right, HERE)
        assert await checking.authenticate(wrong, HERE) is None
    assert passwords.matched == ["ann-pw", "no", "no", "no"]
    clock.now = 60
    assert await checking.authenticate(right, HERE)
    assert passwords.matched[-1] == "ann-pw"


async def test_an_unknown_name_costs_the_same_as_a_wrong_password() -> None:
    checking, passwords, _ = await authenticator(AuthenticationLimits())
    assert await checking.authenticate(Credentials("nobody", "x"), HERE) is None
    assert passwords.matched == ["x"]


async def test_many_requests_of_one_user_hash_once() -> None:
    checking, passwords, _ = await authenticator(AuthenticationLimits(max_hashing=1))
    users = await asyncio.gather(*(checking.authenticate(Credentials("ann", "ann-pw"), HERE) for _ in range(20)))
    assert all(users)
    assert passwords.matched == ["ann-pw"]


async def test_only_so_many_are_remembered() -> None:
    checking, passwords, _ = await authenticator(AuthenticationLimits(max_remembered=1))
    for name in ("ann", "bob", "ann"):
        assert await checking.authenticate(Credentials(name, f"{name}-pw"), HERE)
    assert passwords.matched == ["ann-pw", "bob-pw", "ann-pw"]


async def test_a_flood_of_wrong_passwords_does_not_shut_out_who_is_known() -> None:
    checking, _, _ = await authenticator(AuthenticationLimits(max_hashing=1, max_waiting=4))
    known = Credentials("bob", "bob-pw")
    assert await checking.authenticate(known, HERE)
    flood = [
        asyncio.ensure_future(checking.authenticate(Credentials("ann", str(number)), HERE)) for number in range(10)
    ]
    await asyncio.sleep(0)
    assert await checking.authenticate(known, HERE)
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Unavailable) == 6


def test_credentials_do_not_show_the_password() -> None:
    assert "hunter2" not in repr(Credentials("ann", "hunter2"))
