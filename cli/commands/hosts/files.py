"""Reads inventory files, CSV or YAML, into rows of text, each with the line it begins on."""

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Final

import yaml

from cli.commands.hosts.columns import COLUMNS
from cli.commands.hosts.inventory import Row
from core.errors import InvalidRequest

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader if it is installed: it is ten times as fast. It only composes nodes and constructs no objects."""


def read_rows(file: Path) -> tuple[Row, ...]:
    """Read the rows of an inventory file.

    Raises:
        InvalidRequest: the file cannot be read, or does not have the form of an inventory.
    """
    read = _FORMATS.get(file.suffix.lower())
    if read is None:
        raise _make_refusal(file, f"its name ends in {file.suffix or 'nothing'}. It must end in .csv, .yaml or .yml")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _make_refusal(file, f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _make_refusal(file, f"byte {error.start} is not UTF-8. Save it as UTF-8") from None
    rows = tuple(read(file, text))
    if not rows:
        raise _make_refusal(file, "it contains no hosts. Write one host per row")
    return rows


def _make_refusal(file: Path, reason: str) -> InvalidRequest:
    return InvalidRequest("FILE", str(file), f"Nothing was imported from {file}: {reason}.")


def _read_csv(file: Path, text: str) -> Iterator[Row]:
    reader = csv.reader(StringIO(text, newline=""), strict=True, skipinitialspace=True)
    header: list[str] | None = None
    try:
        line = 1
        for cells in reader:
            began, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _check_header(file, [cell.strip() for cell in cells])
            elif len(cells) > len(header):
                raise _make_refusal(file, f"line {began} has {len(cells)} cells, the header has {len(header)} columns")
            else:
                yield Row(began, {name: cell.strip() for name, cell in zip(header, cells, strict=False)})
    except csv.Error as error:
        raise _make_refusal(file, f"line {reader.line_num} is not CSV: {error}") from None


def _check_header(file: Path, names: list[str]) -> list[str]:
    known = f"The columns are {', '.join(COLUMNS)}"
    for name in names:
        if name not in COLUMNS:
            raise _make_refusal(file, f"its first line has a column {name!r}, which does not exist. {known}")
        if names.count(name) > 1:
            raise _make_refusal(file, f"its first line has the column {name} twice")
    return names


def _read_yaml(file: Path, text: str) -> Iterator[Row]:
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "it"
        raise _make_refusal(file, f"{where} is not YAML: {getattr(error, 'problem', None) or error}") from None
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise _make_refusal(file, "it is not a list. Write one `- id: …` for each host")
    for node in root.value:
        yield Row(node.start_mark.line + 1, dict(_read_yaml_cells(file, node)))


def _read_yaml_cells(file: Path, node: yaml.Node) -> Iterator[tuple[str, str]]:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise _make_refusal(file, f"line {line} is not a host. Write `- id: …` and the other columns below it")
    seen: set[str] = set()
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            at = name.start_mark.line + 1
            raise _make_refusal(file, f"line {at} contains a list or a mapping. A host has only texts and numbers")
        if name.value in seen:
            raise _make_refusal(file, f"line {name.start_mark.line + 1} has {name.value} a second time for one host")
        seen.add(name.value)
        yield name.value, "" if value.tag.endswith(":null") else value.value.strip()


_FORMATS: Final[dict[str, Callable[[Path, str], Iterator[Row]]]] = {
    ".csv": _read_csv,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}
