from __future__ import annotations

import asyncssh
import pytest

from workers.executor.ssh.host_keys import fingerprint, line_of, parse, signature_algorithms


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_key_is_read_and_shown_as_openssh_does(algorithm: str) -> None:
    key = asyncssh.generate_private_key(algorithm).convert_to_public()
    line = line_of(key)

    assert line == " ".join(key.export_public_key().decode().split()[:2])
    assert parse(line + " a comment").data == key.public_data
    assert fingerprint(line) == key.get_fingerprint()


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 QUJD", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA"]
)
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="a public key"):
        parse(line)


def test_the_pinned_type_is_offered_first_and_the_others_after_it() -> None:
    anything = signature_algorithms(None)

    assert signature_algorithms("ecdsa-sha2-nistp256")[0] == "ecdsa-sha2-nistp256"
    assert set(signature_algorithms("ssh-rsa")[:2]) == {"rsa-sha2-256", "rsa-sha2-512"}
    assert sorted(signature_algorithms("ssh-rsa")) == sorted(anything)
    assert not [name for name in anything if "cert" in name]
