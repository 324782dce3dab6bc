"""The file that names a key."""

import re
from pathlib import Path

import pytest

from signer_core import Algorithm
from signer_core.cli.failures import Failure
from signer_core.errors import KeyFormatError, SignerError
from signer_ssh.keys import NAMES
from signer_ssh.public_key_file import read_public_key
from tests.plugins.ssh.keys import public_key
from tests.plugins.ssh.programs import output

LINE = public_key().to_openssh()


@pytest.mark.parametrize("algorithm", NAMES)
def test_a_key_of_each_kind_is_read(algorithm: Algorithm, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(public_key(algorithm).to_openssh() + b" a comment\n")
    assert read_public_key(str(tmp_path / "key.pub")).to_der() == public_key(algorithm).to_der()


@pytest.mark.parametrize("content", [LINE, b"# of mine\n\n  " + LINE + b" me@here \r\n", LINE + b"\nanother line\n"])
def test_it_is_the_first_line_that_is_no_remark(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(content)
    assert read_public_key(str(tmp_path / "key.pub")) == public_key()


@pytest.mark.peer("ssh-keygen")
def test_of_a_private_key_the_public_one_is_beside_it(tmp_path: Path) -> None:
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    assert read_public_key(str(tmp_path / "key")) == read_public_key(str(tmp_path / "key.pub"))
    (tmp_path / "key").unlink()
    assert read_public_key(str(tmp_path / "key")) == read_public_key(str(tmp_path / "key.pub"))


def test_without_one_the_error_tells_of_the_file_that_was_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"/key cannot be read"):
        read_public_key(str(tmp_path / "key"))


@pytest.mark.parametrize(
    "content",
    [b"", b"#", b"\0", b"ssh-ed25519", b"ssh-ed25519 AAAA", b"ssh-dss AAAAB3NzaC1kc3M=", LINE[:-4], b"no " + LINE],
)
def test_what_is_no_key_is_an_error_that_names_the_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(content)
    with pytest.raises(SignerError, match=r"/key\.pub: "):
        read_public_key(str(tmp_path / "key.pub"))


def test_a_file_that_is_too_large_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(LINE + b" " * 2**20)
    with pytest.raises(Failure, match="has more than 1048576 bytes"):
        read_public_key(str(tmp_path / "key.pub"))


@pytest.mark.peer("ssh-keygen")
def test_nothing_of_a_private_key_is_in_the_error(tmp_path: Path) -> None:
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    (tmp_path / "key.pub").unlink()
    with pytest.raises(KeyFormatError) as failed:
        read_public_key(str(tmp_path / "key"))
    assert re.fullmatch(r".*/key: this is not an? OpenSSH public key", str(failed.value))
