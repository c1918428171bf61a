"""The key file that encrypts secret keys."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.auth.vault import Vault
from core.errors import Misconfigured


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "key"


def test_a_secret_comes_back_and_is_not_to_be_seen(file: Path) -> None:
    sealed = Vault(file).seal("a secret")
    assert "secret" not in sealed
    assert Vault(file).unseal(sealed) == "a secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["key"]


def test_the_file_is_made_once_by_whoever_comes_first(file: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        sealed = list(threads.map(lambda _: Vault(file).seal("s"), range(16)))
    assert {Vault(file).unseal(one) for one in sealed} == {"s"}
    assert [path.name for path in file.parent.iterdir()] == ["key"]


def test_a_process_that_comes_second_uses_the_file_of_the_first(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Vault(file).seal("one")
    missing = iter([False])
    monkeypatch.setattr(Path, "exists", lambda self: next(missing, os.path.exists(self)))  # noqa: PTH110 - replaced
    second = Vault(file).seal("two")
    monkeypatch.undo()
    assert [Vault(file).unseal(sealed) for sealed in (first, second)] == ["one", "two"]
    assert [path.name for path in file.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_use_is_refused(file: Path, mode: int) -> None:
    sealed = Vault(file).seal("s")
    file.chmod(mode)
    for use in (Vault(file).check, lambda: Vault(file).seal("s"), lambda: Vault(file).unseal(sealed)):
        with pytest.raises(Misconfigured, match=f"has mode {mode:04o}: other users may use it"):
            use()


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 44])
def test_a_file_without_a_key_is_refused(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(Misconfigured, match="has no usable key"):
        Vault(file).check()


def test_no_file_yet_is_no_fault_until_something_is_to_be_decrypted(file: Path) -> None:
    Vault(file).check()
    with pytest.raises(Misconfigured, match="cannot be read: No such file"):
        Vault(file).unseal("gAAAA")


def test_a_new_key_on_top_opens_what_the_old_one_sealed(file: Path) -> None:
    sealed = Vault(file).seal("s")
    old = file.read_bytes()
    file.write_bytes(Fernet.generate_key() + b"\n" + old)
    rotated = Vault(file)
    assert rotated.unseal(sealed) == "s"
    file.write_bytes(old)
    with pytest.raises(Misconfigured, match="another key file than this server's"):
        Vault(file).unseal(rotated.seal("t"))


def test_a_directory_that_cannot_be_written(file: Path) -> None:
    file.parent.write_text("a file")
    with pytest.raises(Misconfigured, match="OCPFLEET_KEY_FILE"):
        Vault(file).seal("s")
