"""Hosts by the names that people type: an id, an alias, or a pattern such as web-[1-20]. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException

from core.errors import InvalidRequest

MAX_HOSTS: Final = 100_000
"""Hosts in one pattern: as many as the largest request may name."""
_BRACKETS: Final = re.compile(r"\[([^\]]*)\]")
_RANGE: Final = re.compile(r"(\d+)-(\d+)")
_COMMA: Final = re.compile(r",(?![^\[]*\])")
"""A comma outside brackets."""


@dataclass(frozen=True, slots=True)
class HostName:
    """A host's id and alias."""

    id: int
    alias: str | None

    @property
    def label(self) -> str:
        """The name to show to people: the alias with the id, or the id."""
        return f"{self.alias} ({self.id})" if self.alias else f"host {self.id}"

    @property
    def word(self) -> str:
        """The word that names the host on the command line: its alias, or its id."""
        return self.alias or str(self.id)


def read_host_names(documents: Iterable[Mapping[str, object]]) -> list[HostName]:
    """Return the ids and aliases of a reply's hosts; an id beyond 53 bits may be a string."""
    return [HostName(int(str(one["id"])), str(one["alias"]) if one["alias"] else None) for one in documents]


def choose_hosts(words: Sequence[str], hosts: Iterable[HostName], where: str = "in the inventory") -> list[HostName]:
    """Return the hosts that words name, each once, in the order of their first mention.

    Args:
        words: ids, aliases and patterns; a word that is an alias is not expanded as a pattern.
        hosts: the hosts to choose from.
        where: where these hosts are, for the error message.

    Raises:
        InvalidRequest: a pattern is invalid, words name unknown hosts (the message lists all), or a number is the id
            of one host and the alias of another.
    """
    by_name: dict[str, list[HostName]] = {}
    for host in hosts:
        for name in {str(host.id), host.word}:
            by_name.setdefault(name, []).append(host)
    chosen: dict[int, HostName] = {}
    unknown: list[str] = []
    for name in _expand_words(words, by_name):
        found = by_name.get(name, [])
        if len(found) > 1:
            both = " and ".join(f"host {host.id}" for host in found)
            raise InvalidRequest(
                "HOST", name, f"{name} is ambiguous: it is an id and an alias ({both}). Nothing was done."
            )
        if found:
            chosen.setdefault(found[0].id, found[0])
        else:
            unknown.append(name)
    if unknown:
        raise InvalidRequest(
            "HOST",
            unknown,
            f"Not {where}: {fold_names(unknown)}. Nothing was done. `ocpfleet hosts list` shows all hosts.",
        )
    return list(chosen.values())


def fold_names(names: Iterable[str]) -> str:
    """Return names on one line; names that differ only in a number are folded: `web-[1-3], db-1`."""
    distinct = list(dict.fromkeys(names))
    plain = [name for name in distinct if re.fullmatch(r"[A-Za-z0-9_.-]+", name)]
    try:
        folds = str(NodeSet.fromlist(plain, resolver=RESOLVER_NOGROUP)) if plain else ""
    except NodeSetException:
        plain, folds = [], ""
    together = _COMMA.sub(", ", folds)
    return ", ".join([*([together] if together else []), *(name for name in distinct if name not in set(plain))])


def _expand_words(words: Sequence[str], known: Mapping[str, object]) -> Iterator[str]:
    for word in words:
        if word in known:
            yield word
        else:
            yield from _expand_pattern(word)


def _expand_pattern(word: str) -> list[str]:
    names: list[str] = []
    for part in _COMMA.split(word):
        if _count_names(part) > MAX_HOSTS:
            raise InvalidRequest("HOST", word, f"{word} names more than {MAX_HOSTS} hosts. Write smaller ranges.")
        try:
            names += NodeSet(part, resolver=RESOLVER_NOGROUP)
        except (NodeSetException, ValueError) as error:
            raise InvalidRequest(
                "HOST", word, f"{word!r} is not a valid pattern ({error}). Write web-[1-20] or web-[01-20,31]."
            ) from None
    if not names:
        raise InvalidRequest("HOST", word, f"{word!r} does not name a host. Write an id, an alias or web-[1-20].")
    return names


def _count_names(part: str) -> int:
    """Return the number of names in a pattern without expanding it."""
    size = 1
    for bracket in _BRACKETS.findall(part):
        size *= sum(max(int(last) - int(first), 0) + 1 for first, last in _RANGE.findall(bracket)) or 1
    return size
