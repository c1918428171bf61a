"""Checks names and passwords, without hashing the same password for every request."""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from app.auth.basic import Credentials
from app.auth.lockout import Lockout
from app.auth.passwords import MAX_PASSWORD_LENGTH, Passwords, generate_password
from core.errors import Unavailable
from core.text import say
from core.user import User
from infra.store.users import Users


@dataclass(frozen=True, slots=True)
class AuthenticationLimits:
    """What checking passwords may cost."""

    remember: float = 60.0
    """Seconds for which a successful check is remembered. A user who is removed or loses a role keeps it that long."""
    max_remembered: int = 1024
    """How many successful checks are remembered."""
    max_hashing: int = 2
    """How many passwords are hashed at a time."""
    max_waiting: int = 64
    """How many requests may wait for that. More are refused, so that wrong passwords cannot pile up."""


class Authenticator:
    """Checks credentials against the store's users.

    A success is remembered for a short time under a keyed digest of name and password. The key is random and only in
    this process, so the digests prove nothing to anybody else. An unknown name costs as much as a wrong password. A
    name that is locked out costs no hash, but a remembered success still counts.
    """

    def __init__(
        self,
        users: Users,
        passwords: Passwords,
        lockout: Lockout,
        limits: AuthenticationLimits = AuthenticationLimits(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._lockout = lockout
        self._limits = limits
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, tuple[User, float]] = OrderedDict()
        self._hashing = asyncio.Semaphore(limits.max_hashing)
        self._threads = ThreadPoolExecutor(limits.max_hashing, thread_name_prefix="passwords")
        self._waiting = 0
        self._hash_of_nobody = passwords.hash(generate_password())

    async def authenticate(self, credentials: Credentials, source: str) -> User | None:
        """Return the user whose name and password these are, or None.

        Args:
            credentials: name and password.
            source: the address that they came from.

        Raises:
            LoginBlocked: the client sent too many wrong passwords. This one was not checked.
            StoreUnavailable: the users cannot be read.
            Unavailable: too many passwords are being checked.
        """
        if len(credentials.password) > MAX_PASSWORD_LENGTH:
            return None
        digest = self._digest(credentials)
        return self._recall(digest) or await self._check(credentials, source, digest)

    def _digest(self, credentials: Credentials) -> bytes:
        name, password = credentials.name.encode(), credentials.password.encode()
        return hmac.digest(self._key, b"%d:%b%b" % (len(name), name, password), "sha256")

    def _recall(self, digest: bytes) -> User | None:
        user, until = self._remembered.get(digest, _NOBODY)
        return user if self._monotonic() < until else None

    async def _check(self, credentials: Credentials, source: str, digest: bytes) -> User | None:
        await self._lockout.check(credentials.name, source)  # here, so that who is locked out does not queue
        if self._waiting >= self._limits.max_waiting:
            sentence = say("Too many passwords are being checked. Nothing was done; try again.")
            raise Unavailable(sentence, retry_after=1)
        self._waiting += 1
        try:
            async with self._hashing:
                # While this request waited, another one may have proved the same.
                return self._recall(digest) or await self._match_and_count(credentials, source, digest)
        finally:
            self._waiting -= 1

    async def _match_and_count(self, credentials: Credentials, source: str, digest: bytes) -> User | None:
        await self._lockout.check(credentials.name, source)  # again, since others may have failed in the meantime
        user = await self._match(credentials, digest)
        record = self._lockout.record_success if user else self._lockout.record_failure
        await record(credentials.name, source)
        return user

    async def _match(self, credentials: Credentials, digest: bytes) -> User | None:
        user = await self._users.get(credentials.name)
        password_hash = user.password_hash if user else self._hash_of_nobody
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(self._threads, self._passwords.matches, password_hash, credentials.password)
        if user is None or not right:
            return None
        self._remembered[digest] = user, self._monotonic() + self._limits.remember
        self._remembered.move_to_end(digest)
        while len(self._remembered) > self._limits.max_remembered:
            self._remembered.popitem(last=False)
        return user


_NOBODY: Final[tuple[User | None, float]] = (None, 0.0)
