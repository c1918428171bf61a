"""What a restored record must not say again.

It is older than what workers, clients and hosts have seen since. A number that was given after the backup must not be
given to something else: a worker that was not stopped could write under another's claim, a client could take another
task for its own. So a restore begins a new life of the record, in which

- every claim that stands gets another token, and new ones are given from beyond all of former lives;
- tasks, subtasks, users, workers and hosts get ids well beyond the last ones known;
- every task counts as changed, so that no client's ETag fits.

Nothing is compared with a clock: its seconds only tell lives apart.
"""

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from infra.store.backup.backupfile import Part

_LIFE: Final = 1 << 20
"""Tokens of one task in one life, about; seconds since the epoch times this stay below 2^53 until the year 2242."""
_HALF: Final = _LIFE // 2
_STEPS: Final = MappingProxyType(
    {
        b"ocpfleet:seq:task": 10**6,
        b"ocpfleet:seq:subtask": 10**10,
        b"ocpfleet:seq:worker": 10**6,
        b"ocpfleet:seq:user": 10**4,
        b"ocpfleet:seq:host": 10**6,
    }
)
"""By how much each sequence goes on further. The audit's has no gaps, by which its pages are found."""
_TOKEN: Final = 6
"""Where the token stands in the record of a subtask."""
LEFT_OUT: Final = (b"ocpfleet:alive:", b"ocpfleet:errand:", b"ocpfleet:busy:", b"ocpfleet:restoring")
"""Beginnings of keys that are not restored: nobody is alive, and nobody waits."""


class Life:
    """A life of the record, begun by a restore.

    Args:
        now: milliseconds since the epoch.
    """

    def __init__(self, now: int) -> None:
        self._base = now // 1000 * _LIFE
        self._changers = (
            (re.compile(rb"ocpfleet:task:\d+"), self._head),
            (re.compile(rb"ocpfleet:task:\d+:subtasks:\d+"), self._subtasks),
            (re.compile(rb"ocpfleet:claims:\d+"), self._claims),
            (re.compile(rb"ocpfleet:cancels:\d+"), self._cancels),
        )

    def renumber(self, part: Part) -> Part | None:
        """Return a part of the backup as it is restored; None where it is not."""
        if part.key.startswith(LEFT_OUT):
            return None
        if part.key in _STEPS:
            return part._replace(members=[b"%d" % (int(part.members[0]) + _STEPS[part.key])])
        for pattern, change in self._changers:
            if pattern.fullmatch(part.key):
                return part._replace(members=change(part.members))
        return part

    def _token(self, token: bytes) -> bytes:
        """Return the token that stands for a former one."""
        return b"%d" % (self._base + int(token) % _HALF)

    def _head(self, members: Sequence[bytes]) -> list[bytes]:
        fields = dict(zip(members[::2], members[1::2], strict=True))
        for name, value in fields.items():
            if name == b"token":
                fields[name] = b"%d" % (self._base + _HALF)
            elif name == b"changes":
                fields[name] = b"%d" % (int(value) + _LIFE)
            elif name.startswith(b"own:"):
                fields[name] = self._token(value)
        return [word for pair in fields.items() for word in pair]

    def _subtasks(self, members: Sequence[bytes]) -> list[bytes]:
        return [word if at % 2 == 0 else self._record(word) for at, word in enumerate(members)]

    def _record(self, record: bytes) -> bytes:
        words = record.split(b" ")
        if words[_TOKEN] != b"-":
            words[_TOKEN] = self._token(words[_TOKEN])
        return b" ".join(words)

    def _claims(self, members: Sequence[bytes]) -> list[bytes]:
        return [word if at % 2 == 0 else self._token(word) for at, word in enumerate(members)]

    def _cancels(self, members: Sequence[bytes]) -> list[bytes]:
        claims = (member.rpartition(b":") for member in members)
        return [claim + colon + self._token(token) for claim, colon, token in claims]
