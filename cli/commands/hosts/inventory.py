"""Turns the rows of an inventory file into hosts, or into a list of problems. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from cli.commands.hosts.columns import COLUMNS, CellReader, InvalidCell
from core.host import Target
from infra.settings import InventorySettings
from infra.store.host_values import HostEntry

REQUIRED: Final = ("id", "innerIpAddress")
"""Columns without a default."""
MAX_VALUE: Final = 60
"""Characters of a wrong value that a message quotes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One host in the file: the line it begins on, and its cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A wrong cell of an inventory."""

    line: int
    column: str
    value: str
    sentence: str
    """What is wrong, and which values are valid."""

    @override
    def __str__(self) -> str:
        value = self.value if len(self.value) <= MAX_VALUE else f"{self.value[:MAX_VALUE]}…"
        return f"line {self.line}, {self.column}={value!r}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The content of a file: hosts, or problems if there are any."""

    entries: tuple[HostEntry, ...]
    problems: tuple[Problem, ...]
    protection: Mapping[int, bool] = field(default_factory=dict)
    """Whether a host is protected, by id; only hosts for which the file says it."""


def check_rows(
    rows: Iterable[Row],
    defaults: InventorySettings,
    aliases: Mapping[str, int],
    check_key: Callable[[str], object],
) -> Inventory:
    """Check rows and turn them into hosts.

    Args:
        rows: the hosts in the file.
        defaults: the values of columns that a row leaves out.
        aliases: the host id of each alias in the store.
        check_key: raises ValueError if a text is not a public key in OpenSSH's one-line form.
    """
    reader = CellReader(defaults, check_key)
    entries: list[tuple[Row, HostEntry]] = []
    problems: list[Problem] = []
    for row in rows:
        found = _find_problems(row, reader)
        problems += found
        if not found:
            entries.append((row, _make_entry(row, reader)))
    problems += _find_repeated_ids(entries)
    problems += _find_taken_aliases(entries, aliases)
    problems.sort(key=lambda problem: problem.line)
    if problems:
        return Inventory((), tuple(problems))
    flags = {entry.target.host_id: reader.read_protection(row.cells.get("protected", "")) for row, entry in entries}
    protection = {host_id: protected for host_id, protected in flags.items() if protected is not None}
    return Inventory(tuple(entry for _, entry in entries), (), protection)


def _find_problems(row: Row, reader: CellReader) -> list[Problem]:
    problems: list[Problem] = []
    for column, text in row.cells.items():
        if column not in COLUMNS:
            problems.append(
                Problem(row.line, column, text, f"this column does not exist. The columns are {', '.join(COLUMNS)}.")
            )
    for column in COLUMNS:
        text = row.cells.get(column, "")
        try:
            if column in REQUIRED or text:
                reader.read(column, text)
        except InvalidCell as error:
            problems.append(Problem(row.line, column, text, str(error)))
    return problems


def _make_entry(row: Row, reader: CellReader) -> HostEntry:
    cells = {column: row.cells.get(column, "") for column in COLUMNS}
    target = Target(
        host_id=reader.read_id(cells["id"]),
        address=reader.read_address(cells["innerIpAddress"]),
        port=reader.read_port(cells["sshPort"]),
        user=reader.read_user(cells["sshUser"]),
        agent_home=reader.read_home(cells["agentHome"]),
        agent_prefix=reader.read_prefix(cells["agentPrefix"]),
        sudo=reader.read_sudo(cells["sudo"]),
        host_key=reader.read_host_key(cells["hostKey"]),
    )
    return HostEntry(target, reader.read_alias(cells["alias"]))


def _find_repeated_ids(entries: Iterable[tuple[Row, HostEntry]]) -> Iterator[Problem]:
    seen: dict[int, int] = {}
    for row, entry in entries:
        first = seen.setdefault(entry.target.host_id, row.line)
        if first != row.line:
            yield Problem(row.line, "id", row.cells["id"], f"line {first} has the same id. Give each host its own.")


def _find_taken_aliases(entries: list[tuple[Row, HostEntry]], aliases: Mapping[str, int]) -> Iterator[Problem]:
    """Yield a problem for each alias of another host, in the file or in the store."""
    renamed = {entry.target.host_id for _, entry in entries}
    seen: dict[str, int] = {}
    for row, entry in entries:
        if entry.alias is None:
            continue
        first = seen.setdefault(entry.alias, row.line)
        if first != row.line:
            yield Problem(row.line, "alias", entry.alias, f"line {first} has the same alias. Aliases are unique.")
        owner = aliases.get(entry.alias, entry.target.host_id)
        if owner != entry.target.host_id and owner not in renamed:
            yield Problem(
                row.line, "alias", entry.alias, f"host {owner} in the store has this alias. Aliases are unique."
            )
