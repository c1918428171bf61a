"""The table of roles is that of the code."""

from __future__ import annotations

import re
from itertools import chain

from core.user import Permission, Role, User
from tests.support.pages import ROOT

COLUMNS = (
    {
        "read": Permission.HOST_READ,
        "change": Permission.HOST_CHANGE,
        "release": Permission.HOLD_CHANGE,
        "protect": Permission.PROTECTION_CHANGE,
    },
    {"read": Permission.TASK_READ, "change": Permission.TASK_CHANGE, "brake": Permission.BRAKE_CHANGE},
    {"read; read": Permission.AUDIT_READ, "change": Permission.USER_CHANGE},
)
"""What the words of each column mean. `read; read, change` is to read the audit, and to read and change users."""


def test_the_words_of_the_table_mean_every_permission() -> None:
    meant = {permission for column in COLUMNS for permission in column.values()} | {Permission.USER_READ}
    assert meant == set(Permission)


def test_the_page_lists_every_role_with_what_it_grants() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    (table,) = re.findall(r"^\| role \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert sorted(chain.from_iterable(row[0].split(", ") for row in rows)) == sorted(Role)
    for names, *cells in rows:
        for name in names.split(", "):
            granted = {
                permission for permission in Permission if User(1, "", "", frozenset({Role(name)})).may(permission)
            }
            assert [_words(granted, column) for column in COLUMNS] == cells, name
            assert (Permission.USER_READ in granted) == ("read; read" in cells[2])


def _words(granted: set[Permission], column: dict[str, Permission]) -> str:
    return ", ".join(word for word, permission in column.items() if permission in granted)
