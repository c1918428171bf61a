"""Checks that a request was signed with a user's access key, recently, and for the first time."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from app.auth.lockout import digest
from app.auth.signature import Signature
from app.auth.vault import Vault
from core.access_key import AccessKey
from core.errors import BadCredentials
from core.signature import Signable, body_md5, find_matching_signature
from core.text import Text, say
from core.user import User
from infra.store import Store

MAX_CLOCK_DIFFERENCE: Final = 15 * 60 * 1000
"""How many milliseconds a request's Date may differ from the server's clock."""
_REMEMBERED: Final = 2 * MAX_CLOCK_DIFFERENCE + 60_000
"""How many milliseconds a signature is remembered: longer than its Date is accepted."""
_RFC_1123: Final = "%a, %d %b %Y %H:%M:%S GMT"
_MAY_REPEAT: Final = frozenset({"GET", "HEAD"})
_MAX_SHOWN: Final = 200


class SignatureChecker:
    """Checks signatures against the store's access keys."""

    def __init__(self, store: Store, vault: Vault, clock: Callable[[], int]) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def authenticate(self, given: Signature, parts: Signable, body: Callable[[], Awaitable[bytes]]) -> User:
        """Return the user whose access key signed a request.

        Args:
            given: the signature.
            parts: the request without its body.
            body: reads the body. It is called only after the cheap checks have passed.

        Raises:
            BadCredentials: it says what is wrong, never what would have been right.
            Misconfigured: the secret key cannot be decrypted.
            StoreUnavailable: keys or users cannot be read, or the signature cannot be remembered.
        """
        self._check_date(parts.date)
        key, user = await self._find_owner(given.key_id)
        complete = replace(parts, body_md5=body_md5(await body()))
        right = find_matching_signature(self._vault.unseal(key.sealed), complete, given.text)
        if right is None:
            raise BadCredentials(_explain_mismatch(complete))
        if parts.method not in _MAY_REPEAT:
            await self._refuse_replay(key, right)
        return user

    def _check_date(self, date: str) -> None:
        if not date:
            raise BadCredentials(say("A signed request needs a Date header, such as Tue, 17 Jan 2023 09:13:57 GMT."))
        try:
            sent = datetime.strptime(date, _RFC_1123).replace(tzinfo=UTC)
        except ValueError:
            sentence = say(
                "Date {date} does not have the form Tue, 17 Jan 2023 09:13:57 GMT (RFC 1123, in GMT).",
                date=_make_printable(date),
            )
            raise BadCredentials(sentence) from None
        now = self._clock()
        if abs(now - round(sent.timestamp() * 1000)) > MAX_CLOCK_DIFFERENCE:
            here = datetime.fromtimestamp(now / 1000, tz=UTC).strftime(_RFC_1123)
            raise BadCredentials(
                say(
                    "Date {date} differs from the server's clock by more than 15 minutes: it is {here} here. Set the "
                    "client's clock, and sign each request when it is sent.",
                    date=date,
                    here=here,
                )
            )

    async def _find_owner(self, key_id: str) -> tuple[AccessKey, User]:
        key = await self._store.access_keys.get(key_id)
        user = await self._store.users.get(key.user) if key else None
        if key is None or user is None or user.id != key.user_id:
            raise BadCredentials(
                say(
                    "There is no access key {key}: it was never made, or it or its user was removed. "
                    "`ocpfleet key add` makes one.",
                    key=_make_printable(key_id),
                )
            )
        return key, user

    async def _refuse_replay(self, key: AccessKey, right: str) -> None:
        if not await self._store.guard.mark(f"sig:{digest(key.id, right)}", _REMEMBERED):
            raise BadCredentials(
                say(
                    "This signature was used before, and each signature allows one change. Sign the request again "
                    "with another Date (at least one second later)."
                )
            )


def _explain_mismatch(parts: Signable) -> Text:
    """Say what the server signed, so that the client can compare. Only the MD5 does not come from the client."""
    headers = "; ".join(f"{name}:{','.join(values)}" for name, values in sorted(parts.headers.items()))
    received = {
        "method": parts.method,
        "md5": parts.body_md5,
        "content_type": parts.content_type,
        "date": parts.date,
        "host": parts.host,
        "headers": headers,
        "path": parts.messages()[0].rpartition("\n")[2],
    }
    return say(
        "The signature does not match the request or the secret key. Compare them with what the server received: "
        "method {method}, MD5 of the body {md5}, Content-Type {content_type}, Date {date}, Host {host}, x-ocp headers "
        "{headers}, path and query {path}.",
        **{name: _make_printable(value) or say("(empty)") for name, value in received.items()},
    )


def _make_printable(text: str) -> str:
    """Return the beginning of a client's text, without characters that a reply cannot carry."""
    return text[:_MAX_SHOWN].encode(errors="replace").decode()
