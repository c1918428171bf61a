"""Inventories as files: from rows of text to hosts, or to a list of what is wrong with them. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from cli.commands.hosts.columns import COLUMNS, Fault, Reader
from core.host import Target
from infra.settings import InventorySettings
from infra.store.base import HostEntry

REQUIRED: Final = ("id", "innerIpAddress")


@dataclass(frozen=True, slots=True)
class Row:
    """One host as it was written: the line it begins on, and its cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an inventory."""

    line: int
    column: str
    value: str
    sentence: str
    """What is right instead."""

    @override
    def __str__(self) -> str:
        shown = self.value if len(self.value) <= _SHOWN else f"{self.value[:_SHOWN]}…"
        return f"line {self.line}, {self.column}={shown!r}: {self.sentence}"


_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a file came to: hosts, or problems where there is any."""

    entries: tuple[HostEntry, ...]
    problems: tuple[Problem, ...]
    protection: Mapping[int, bool] = field(default_factory=dict)
    """By id, of the hosts of which the file says it: whether they are protected."""


def checked(
    rows: Iterable[Row],
    defaults: InventorySettings,
    taken: Mapping[str, int],
    check_key: Callable[[str], object],
) -> Inventory:
    """Check rows and turn them into hosts.

    Args:
        rows: the hosts as they were written.
        defaults: for the columns that a row leaves out.
        taken: the aliases in the store, and whose they are.
        check_key: raises ValueError where a text is no public key in OpenSSH's one-line form.
    """
    reader = Reader(defaults, check_key)
    entries: list[tuple[Row, HostEntry]] = []
    problems: list[Problem] = []
    for row in rows:
        found = _faults(row, reader)
        problems += found
        if not found:
            entries.append((row, _entry(row, reader)))
    problems += _repeated_ids(entries)
    problems += _repeated_aliases(entries, taken)
    problems.sort(key=lambda problem: problem.line)
    if problems:
        return Inventory((), tuple(problems))
    said = {entry.target.host_id: reader.protected(row.cells.get("protected", "")) for row, entry in entries}
    protection = {host_id: protected for host_id, protected in said.items() if protected is not None}
    return Inventory(tuple(entry for _, entry in entries), (), protection)


def _faults(row: Row, reader: Reader) -> list[Problem]:
    problems: list[Problem] = []
    for column, text in row.cells.items():
        if column not in COLUMNS:
            problems.append(Problem(row.line, column, text, f"there is no such column. Write {', '.join(COLUMNS)}."))
    for column in COLUMNS:
        text = row.cells.get(column, "")
        try:
            if column in REQUIRED or text:
                reader.read(column, text)
        except Fault as fault:
            problems.append(Problem(row.line, column, text, str(fault)))
    return problems


def _entry(row: Row, reader: Reader) -> HostEntry:
    cells = {column: row.cells.get(column, "") for column in COLUMNS}
    target = Target(
        host_id=reader.identity(cells["id"]),
        address=reader.address(cells["innerIpAddress"]),
        port=reader.port(cells["sshPort"]),
        user=reader.user(cells["sshUser"]),
        agent_home=reader.home(cells["agentHome"]),
        agent_prefix=reader.prefix(cells["agentPrefix"]),
        sudo=reader.sudo(cells["sudo"]),
        host_key=reader.host_key(cells["hostKey"]),
    )
    return HostEntry(target, reader.alias(cells["alias"]))


def _repeated_ids(entries: Iterable[tuple[Row, HostEntry]]) -> Iterator[Problem]:
    seen: dict[int, int] = {}
    for row, entry in entries:
        first = seen.setdefault(entry.target.host_id, row.line)
        if first != row.line:
            yield Problem(row.line, "id", row.cells["id"], f"line {first} has the same id. Give each host its own.")


def _repeated_aliases(entries: list[tuple[Row, HostEntry]], taken: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the aliases that two hosts of the file have, or one of the file and another of the store."""
    renamed = {entry.target.host_id for _, entry in entries}
    seen: dict[str, int] = {}
    for row, entry in entries:
        if entry.alias is None:
            continue
        first = seen.setdefault(entry.alias, row.line)
        if first != row.line:
            yield Problem(row.line, "alias", entry.alias, f"line {first} has the same alias. Aliases are unique.")
        owner = taken.get(entry.alias, entry.target.host_id)
        if owner != entry.target.host_id and owner not in renamed:
            yield Problem(row.line, "alias", entry.alias, f"host {owner} of the store has it. Aliases are unique.")
