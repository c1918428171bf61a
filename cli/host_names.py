"""Hosts as people name them: by id, by alias, or by a pattern such as web-[1-20]. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException

from core.errors import InvalidRequest

_MOST: Final = 100_000
"""So many hosts may one pattern stand for: as many as the largest request takes."""
_BRACKETS: Final = re.compile(r"\[([^\]]*)\]")
_RANGE: Final = re.compile(r"(\d+)-(\d+)")
_BETWEEN: Final = re.compile(r",(?![^\[]*\])")
"""The commas that stand in no brackets."""


@dataclass(frozen=True, slots=True)
class Named:
    """A host, and what it is called."""

    id: int
    alias: str | None

    @property
    def name(self) -> str:
        """How people call it: its alias with its id, or its id."""
        return f"{self.alias} ({self.id})" if self.alias else f"host {self.id}"

    @property
    def short(self) -> str:
        """What finds it again on the command line."""
        return self.alias or str(self.id)


def named(documents: Iterable[Mapping[str, object]]) -> list[Named]:
    """Return the hosts of replies; ids beyond 53 bits come as strings."""
    return [Named(int(str(one["id"])), str(one["alias"]) if one["alias"] else None) for one in documents]


def chosen(words: Sequence[str], hosts: Iterable[Named], where: str = "in the inventory") -> list[Named]:
    """Return the hosts that words name: each once, in the order in which it is named first.

    Args:
        words: ids, aliases and patterns; an alias is taken as it is before it is taken as a pattern.
        hosts: those that can be meant.
        where: where these are, for the error.

    Raises:
        InvalidRequest: a pattern is none, words name nothing (all are listed), or a number is the id of one host and
            the alias of another.
    """
    by_name: dict[str, list[Named]] = {}
    for host in hosts:
        for name in {str(host.id), host.alias or str(host.id)}:
            by_name.setdefault(name, []).append(host)
    found: dict[int, Named] = {}
    unknown: list[str] = []
    for name in _names(words, by_name):
        meant = by_name.get(name, [])
        if len(meant) > 1:
            both = " and ".join(f"host {host.id}" for host in meant)
            raise InvalidRequest("HOST", name, f"{name} may mean {both}: it is an id and an alias. Nothing was done.")
        if meant:
            found.setdefault(meant[0].id, meant[0])
        else:
            unknown.append(name)
    if unknown:
        raise InvalidRequest(
            "HOST", unknown, f"Not {where}: {folded(unknown)}. Nothing was done; `ocpfleet hosts list` shows them all."
        )
    return list(found.values())


def folded(names: Iterable[str]) -> str:
    """Return names on one line, those that differ in a number together: `web-[1-3], db-1`."""
    distinct = list(dict.fromkeys(names))
    plain = [name for name in distinct if re.fullmatch(r"[A-Za-z0-9_.-]+", name)]
    try:
        folds = str(NodeSet.fromlist(plain, resolver=RESOLVER_NOGROUP)) if plain else ""
    except NodeSetException:
        plain, folds = [], ""
    together = _BETWEEN.sub(", ", folds)
    return ", ".join([*([together] if together else []), *(name for name in distinct if name not in set(plain))])


def _names(words: Sequence[str], known: Mapping[str, object]) -> Iterator[str]:
    for word in words:
        if word in known:
            yield word
        else:
            yield from _expanded(word)


def _expanded(word: str) -> list[str]:
    names: list[str] = []
    for part in _BETWEEN.split(word):
        if _size(part) > _MOST:
            raise InvalidRequest("HOST", word, f"{word} stands for more than {_MOST} hosts. Write smaller ranges.")
        try:
            names += NodeSet(part, resolver=RESOLVER_NOGROUP)
        except (NodeSetException, ValueError) as error:
            raise InvalidRequest(
                "HOST", word, f"{word!r} is no pattern ({error}). Write one such as web-[1-20] or web-[01-20,31]."
            ) from None
    if not names:
        raise InvalidRequest("HOST", word, f"{word!r} names no host. Write an id, an alias or web-[1-20].")
    return names


def _size(part: str) -> int:
    """Return for how many names a pattern stands, before anything is expanded."""
    size = 1
    for bracket in _BRACKETS.findall(part):
        size *= sum(max(int(last) - int(first), 0) + 1 for first, last in _RANGE.findall(bracket)) or 1
    return size
