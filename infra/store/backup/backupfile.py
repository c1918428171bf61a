"""A backup as a file: gzip over lines of JSON, so that `zcat FILE | less` shows what is in it.

The first line says what the file is, the last one how much it holds and the SHA-256 of all lines before. Each line
between them is a key of the record or a part of one. Bytes stand in it as the characters of the same numbers (Latin-1).
"""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from core.errors import InvalidRequest
from infra.private_file import create_private

FORMAT: Final = "ocpfleet backup"
VERSION: Final = 1
"""Of the file's form."""
PART: Final = 500
"""A line holds so many members of a key at the most: what one command of a restore writes."""
_LEVEL: Final = 4
"""How hard gzip tries."""


class Part(NamedTuple):
    """A key of the record with some of its members. All parts of a key have its type and its end."""

    type: str
    """As Redis calls it: string, hash, list, set, zset or stream."""
    key: bytes
    gone_at: int | None
    """When it expires, in milliseconds since the epoch; None where it does not."""
    members: Sequence[bytes]
    """As the command that adds them takes them: field, value; score, member; of a stream one entry."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds."""

    at: int
    """When it was taken: milliseconds since the epoch."""
    keys: int
    tasks: int
    hosts: int
    sha256: str
    """Of its lines but the last."""


class Writer:
    """Writes the lines of a backup.

    Args:
        file: what compresses them.
        at: when it was taken.
    """

    def __init__(self, file: gzip.GzipFile, at: int) -> None:
        self._file = file
        self._at = at
        self._digest = sha256()
        self._last = b""
        self._keys = 0
        self._add({"format": FORMAT, "version": VERSION, "at": at})

    def _add(self, document: object) -> None:
        line = orjson.dumps(document) + b"\n"
        self._digest.update(line)
        self._file.write(line)

    def write(self, part: Part) -> None:
        """Add a part of a key; parts of one key follow each other."""
        self._keys += part.key != self._last
        self._last = part.key
        self._add([part.type, _text(part.key), part.gone_at, [_text(member) for member in part.members]])

    def close(self, tasks: int, hosts: int) -> Contents:
        """Add the last line and return what the file holds."""
        contents = Contents(self._at, self._keys, tasks, hosts, self._digest.hexdigest())
        self._add({"keys": contents.keys, "tasks": tasks, "hosts": hosts, "sha256": contents.sha256})
        return contents


@contextmanager
def create_file(path: Path, at: int) -> Iterator[Writer]:
    """Give the writer of a new file (mode 0600), which is there under its name only once it is whole and on disk.

    Raises:
        InvalidRequest: there is such a file already, or it cannot be made.
    """
    if path.exists():
        raise InvalidRequest("FILE", str(path), f"{path} is there already. Name a new file; none is overwritten.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        created = create_private(unfinished)
    except OSError as error:
        raise InvalidRequest("FILE", str(path), f"{path} cannot be written: {error.strerror}.") from None
    try:
        with created as raw:
            with gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as file:
                yield Writer(file, at)
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_parts(path: Path) -> Iterator[Part]:
    """Yield the parts of a backup in order; see `verify` for what may be wrong with it."""
    with gzip.open(path) as file:
        for line in file:
            document = orjson.loads(line)
            if isinstance(document, list):
                kind, key, gone_at, members = document
                yield Part(kind, _bytes(key), gone_at, [_bytes(member) for member in members])


def verify(path: Path) -> Contents:
    """See that a file is a backup, whole and unchanged, and return what it holds.

    Raises:
        InvalidRequest: it is not.
    """
    try:
        return _verify(path)
    except (OSError, EOFError, zlib.error, orjson.JSONDecodeError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InvalidRequest("FILE", str(path), f"{path} is no whole backup: {reason}. Take another one.") from None


def _verify(path: Path) -> Contents:
    digest, pending = sha256(), b""
    with gzip.open(path) as file:
        first = file.readline()
        head: dict[str, Any] = orjson.loads(first)
        if head["format"] != FORMAT or head["version"] > VERSION:
            sentence = f"{path} is a backup of version {head['version']}; this ocpfleet reads up to {VERSION}."
            raise InvalidRequest("FILE", str(path), sentence)
        digest.update(first)
        for line in file:
            digest.update(pending)
            pending = line
    last: dict[str, Any] = orjson.loads(pending)
    if last["sha256"] != digest.hexdigest():
        sentence = f"{path} is damaged: its SHA-256 is {digest.hexdigest()}, not {last['sha256']}. Take another one."
        raise InvalidRequest("FILE", str(path), sentence)
    return Contents(head["at"], last["keys"], last["tasks"], last["hosts"], last["sha256"])


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
