"""Private files: only their owner can read them, and nobody sees a part of one."""

import stat
from pathlib import Path

import pytest

from infra.private_file import create_private, write_draft, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_made_with_its_directory_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "var" / "secret"
    for content in (b"old", b"new"):
        write_private(file, content)
        assert (file.read_bytes(), mode(file)) == (content, 0o600)
    assert list(file.parent.iterdir()) == [file], "no draft is left"


def test_a_file_that_others_could_read_is_private_once_it_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_private(file, b"new")
    assert mode(file) == 0o600


def test_a_draft_stands_beside_the_file_and_leaves_it_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"old")
    draft = write_draft(file, b"new")
    assert (draft.parent, draft.read_bytes(), mode(draft)) == (tmp_path, b"new", 0o600)
    assert file.read_bytes() == b"old"


def test_a_file_that_exists_is_not_created_again(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    with create_private(file) as created:
        created.write(b"first")
    assert mode(file) == 0o600
    with pytest.raises(FileExistsError):
        create_private(file)
    assert file.read_bytes() == b"first"
