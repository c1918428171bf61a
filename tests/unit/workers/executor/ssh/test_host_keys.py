from __future__ import annotations

import asyncssh
import pytest

from workers.executor.ssh.host_keys import fingerprint_key, format_key, list_signature_algorithms, parse_key


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_key_is_read_and_shown_as_openssh_does(algorithm: str) -> None:
    key = asyncssh.generate_private_key(algorithm).convert_to_public()
    line = format_key(key)

    assert line == " ".join(key.export_public_key().decode().split()[:2])
    assert parse_key(line + " a comment").data == key.public_data
    assert fingerprint_key(line) == key.get_fingerprint()


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 QUJD", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA"]
)
def test_a_line_that_is_not_a_key_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="a public key"):
        parse_key(line)


def test_the_pinned_type_is_offered_first_and_the_others_after_it() -> None:
    anything = list_signature_algorithms(None)

    assert list_signature_algorithms("ecdsa-sha2-nistp256")[0] == "ecdsa-sha2-nistp256"
    assert set(list_signature_algorithms("ssh-rsa")[:2]) == {"rsa-sha2-256", "rsa-sha2-512"}
    assert sorted(list_signature_algorithms("ssh-rsa")) == sorted(anything)
    assert not [name for name in anything if "cert" in name]
