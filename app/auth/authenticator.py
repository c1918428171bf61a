"""Whether a name and a password are a user's, without hashing the password again for every request."""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from app.auth.lockout import Lockout
from app.auth.passwords import LONGEST, Passwords, generated
from core.errors import Unavailable
from core.text import say
from core.user import User
from infra.store.users import Users


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client said about itself."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much checking costs at the most."""

    remember: float = 60.0
    """Seconds for which a successful check stands. For so long may a removed user or a lost role still count."""
    proofs: int = 1024
    """So many successful checks are remembered."""
    hashing: int = 2
    """So many passwords are hashed at a time."""
    waiting: int = 64
    """So many requests may wait for that; others are sent away, so that wrong passwords cannot pile up."""


class Authenticator:
    """Checks credentials against the store's users.

    A success is remembered for a short time under a keyed digest of name and password; the key is this process's own,
    so what is in memory proves nothing to anybody else. An unknown name costs the same as a wrong password, and a name
    that is locked out costs no hash at all; what is remembered stands even then.
    """

    def __init__(
        self,
        users: Users,
        passwords: Passwords,
        lockout: Lockout,
        limits: Limits = Limits(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._lockout = lockout
        self._limits = limits
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        self._proofs: OrderedDict[bytes, tuple[User, float]] = OrderedDict()
        self._hashing = asyncio.Semaphore(limits.hashing)
        self._threads = ThreadPoolExecutor(limits.hashing, thread_name_prefix="passwords")
        self._waiting = 0
        self._nobody = passwords.hashed(generated())

    async def user(self, credentials: Credentials, source: str) -> User | None:
        """Return the user whose name and password these are, or None.

        Args:
            credentials: name and password.
            source: the address that they came from.

        Raises:
            LoginBlocked: after too many wrong passwords; this one was not looked at.
            StoreUnavailable: the users cannot be read.
            Unavailable: too many passwords are being checked.
        """
        if len(credentials.password) > LONGEST:
            return None
        proof = self._proof(credentials)
        return self._remembered(proof) or await self._checked(credentials, source, proof)

    def _proof(self, credentials: Credentials) -> bytes:
        name, password = credentials.name.encode(), credentials.password.encode()
        return hmac.digest(self._key, b"%d:%b%b" % (len(name), name, password), "sha256")

    def _remembered(self, proof: bytes) -> User | None:
        user, until = self._proofs.get(proof, _NONE)
        return user if self._monotonic() < until else None

    async def _checked(self, credentials: Credentials, source: str, proof: bytes) -> User | None:
        await self._lockout.check(credentials.name, source)  # here, so that who is locked out does not queue
        if self._waiting >= self._limits.waiting:
            sentence = say("Too many passwords are being checked. Nothing was done; try again.")
            raise Unavailable(sentence, retry_after=1)
        self._waiting += 1
        try:
            async with self._hashing:
                # While this one waited, another request may have proved the same.
                return self._remembered(proof) or await self._judged(credentials, source, proof)
        finally:
            self._waiting -= 1

    async def _judged(self, credentials: Credentials, source: str, proof: bytes) -> User | None:
        await self._lockout.check(credentials.name, source)  # and again: others failed while this one waited
        user = await self._matched(credentials, proof)
        told = self._lockout.succeeded if user else self._lockout.failed
        await told(credentials.name, source)
        return user

    async def _matched(self, credentials: Credentials, proof: bytes) -> User | None:
        user = await self._users.get(credentials.name)
        password_hash = user.password_hash if user else self._nobody
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(self._threads, self._passwords.match, password_hash, credentials.password)
        if user is None or not right:
            return None
        self._proofs[proof] = user, self._monotonic() + self._limits.remember
        self._proofs.move_to_end(proof)
        while len(self._proofs) > self._limits.proofs:
            self._proofs.popitem(last=False)
        return user


_NONE: Final[tuple[User | None, float]] = (None, 0.0)
