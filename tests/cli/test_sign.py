"""``signer sign``: signatures of files."""

import base64
import os
import pty
import stat
import subprocess
from pathlib import Path

import pytest

from signer_core import PublicKey, create_signer
from tests.cli.conftest import PROGRAM, SEED, Signer, program, with_full_disk

MESSAGE = b"block header\n"


@pytest.fixture(autouse=True)
def message(folder: Path) -> Path:
    path = Path("message")
    path.write_bytes(MESSAGE)
    return path


@pytest.fixture
def signature() -> bytes:
    with create_signer({"backend": "noop", "seed": SEED}) as signer:
        return signer.sign(MESSAGE)


def test_raw_is_the_default(noop: Signer, signature: bytes) -> None:
    assert noop("sign", "message").stdout_bytes == signature


def test_hex_and_base64_end_with_a_newline(noop: Signer, signature: bytes) -> None:
    assert noop("sign", "message", "--encoding", "hex").stdout == f"{signature.hex()}\n"
    assert noop("sign", "message", "--encoding", "base64").stdout_bytes == base64.b64encode(signature) + b"\n"


def test_an_unknown_encoding_is_wrong_usage(noop: Signer) -> None:
    assert noop("sign", "message", "--encoding", "base32").exit_code == 2


def test_no_file_is_wrong_usage(noop: Signer) -> None:
    assert noop("sign").exit_code == 2


def test_the_standard_input(noop: Signer, signature: bytes) -> None:
    assert noop("sign", "-", input=MESSAGE).stdout_bytes == signature


def test_an_empty_message(noop: Signer) -> None:
    with create_signer({"backend": "noop", "seed": SEED}) as signer:
        assert noop("sign", os.devnull).stdout_bytes == signer.sign(b"")


def test_one_signature_goes_where_output_says(noop: Signer, signature: bytes) -> None:
    result = noop("sign", "message", "-o", "signed")
    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("signed").read_bytes() == signature
    assert sorted(os.listdir()) == ["message", "signed"]


def test_the_file_at_the_output_is_replaced(noop: Signer, signature: bytes) -> None:
    Path("signed").write_bytes(b"something longer than a signature" * 10)
    os.link("signed", "other")
    noop("sign", "message", "-o", "signed")
    assert Path("signed").read_bytes() == signature
    assert Path("other").read_bytes() != signature


def test_a_link_at_the_output_is_followed(noop: Signer, signature: bytes) -> None:
    os.mkdir("elsewhere")
    os.symlink("elsewhere/signed", "link")
    noop("sign", "message", "-o", "link")
    assert os.path.islink("link")
    assert Path("elsewhere/signed").read_bytes() == signature


def test_a_device_at_the_output_stays_a_device(noop: Signer) -> None:
    assert noop("sign", "message", "-o", os.devnull).exit_code == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_the_output_has_the_mode_that_the_user_gives_to_files(noop: Signer) -> None:
    before = os.umask(0o027)
    try:
        noop("sign", "message", "-o", "signed")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("signed").st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o440, 0o666])
def test_a_signature_that_is_replaced_keeps_its_mode(mode: int, noop: Signer, signature: bytes) -> None:
    Path("signed").write_bytes(b"old")
    os.chmod("signed", mode)
    assert noop("sign", "message", "-o", "signed").exit_code == 0
    assert (Path("signed").read_bytes(), stat.S_IMODE(os.stat("signed").st_mode)) == (signature, mode)


def test_a_dash_as_the_output_is_stdout(noop: Signer, signature: bytes) -> None:
    assert noop("sign", "message", "-o", "-").stdout_bytes == signature


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("gone/signed", "gone/signed cannot be written: No such file or directory"),
        (".", ". cannot be written: Is a directory"),
        ("/dev/full", "/dev/full cannot be written: No space left on device"),
    ],
)
def test_an_output_that_cannot_be_written(target: str, problem: str, noop: Signer) -> None:
    result = noop("sign", "message", "-o", target)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == f"error: {problem}"
    assert os.listdir() == ["message"]


def test_a_full_disk_leaves_what_was_there(signature: bytes) -> None:
    Path("signed").write_bytes(b"before")
    done = with_full_disk("--backend", "noop", "sign", "message", "-o", "signed")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"error: signed cannot be written: File too large"
    assert Path("signed").read_bytes() == b"before"
    assert sorted(os.listdir()) == ["message", "signed"]


def test_the_message_is_not_replaced_by_its_signature(noop: Signer) -> None:
    os.link("message", "same")
    result = noop("sign", "message", "-o", "same")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the signature would replace message")
    assert Path("message").read_bytes() == MESSAGE


@pytest.mark.parametrize(("file", "problem"), [("gone", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read(file: str, problem: str, noop: Signer) -> None:
    result = noop("sign", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].endswith(f"cannot be read: {problem}")


def test_a_closed_standard_input() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec '{PROGRAM}' --backend noop sign - <&-"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == b"error: the standard input cannot be read: it is closed\n"


def test_a_standard_input_that_does_not_wait_is_not_signed_in_part() -> None:
    """Nothing more is there yet, which is no end: a program that shares it may have made it so."""
    ours, theirs = os.pipe()
    try:
        os.set_blocking(ours, False)
        os.write(theirs, MESSAGE[:5])
        done = program("--backend", "noop", "sign", "-", stdin=ours)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: the standard input cannot be read: it is non-blocking")


def test_several_files_get_a_signature_beside_each(noop: Signer, signature: bytes) -> None:
    names = [f"message{number}" for number in range(70)]  # more than are in memory together
    for name in names:
        Path(name).write_bytes(name.encode())
    Path("message.sig").write_bytes(b"an older one")
    result = noop("sign", "message", *names)
    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("message.sig").read_bytes() == signature
    with create_signer({"backend": "noop", "seed": SEED}) as signer:
        for name in names:
            signer.public_key.verify(Path(f"{name}.sig").read_bytes(), name.encode())


def test_several_files_in_another_encoding(noop: Signer, signature: bytes) -> None:
    Path("other").touch()
    noop("sign", "message", "other", "--encoding", "hex")
    assert Path("message.sig").read_text() == f"{signature.hex()}\n"


def test_several_files_with_one_output_is_wrong_usage(noop: Signer) -> None:
    result = noop("sign", "message", "message", "-o", "signed")
    assert result.exit_code == 2
    assert os.listdir() == ["message"]


def test_the_standard_input_is_signed_alone(noop: Signer) -> None:
    result = noop("sign", "message", "-", input=b"")
    assert result.exit_code == 2
    assert os.listdir() == ["message"]


def test_one_missing_file_of_several_and_none_is_signed(noop: Signer) -> None:
    result = noop("sign", "message", "gone")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: gone cannot be read: No such file or directory",
        "remedy: nothing was signed; leave it out or make it right",
    ]
    assert os.listdir() == ["message"]


def test_something_else_among_several_and_none_is_signed(noop: Signer) -> None:
    result = noop("sign", "message", os.devnull)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: /dev/null cannot be read: it is no file\n")
    assert os.listdir() == ["message"]


def test_signatures_do_not_replace_what_is_signed_too(noop: Signer) -> None:
    Path("message.sig").write_bytes(b"an older one")
    result = noop("sign", "message", "message.sig")
    assert result.exit_code == 1
    assert "would replace message.sig" in result.stderr
    assert Path("message.sig").read_bytes() == b"an older one"


def test_a_signature_that_cannot_be_written_names_its_file(noop: Signer) -> None:
    Path("other").touch()
    os.mkdir("other.sig")
    result = noop("sign", "message", "other")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: other.sig cannot be written: Is a directory — ")


def test_a_progress_bar_on_a_terminal() -> None:
    Path("other").touch()
    controller, terminal = pty.openpty()
    done = subprocess.run([PROGRAM, "--backend", "noop", "sign", "message", "other"], stderr=terminal, check=False)
    os.close(terminal)
    shown = os.read(controller, 10_000)
    os.close(controller)
    assert done.returncode == 0
    assert b"100%" in shown


@pytest.mark.peer("openssl")
def test_openssl_verifies(noop: Signer) -> None:
    Path("key.pem").write_bytes(noop("show", "--format", "pem").stdout_bytes)
    noop("sign", "message", "-o", "signed")
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in message -sigfile signed"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, b"Signature Verified Successfully")


def test_a_file_of_the_file_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "open sesame")
    key = ("--backend", "file", "--set", "path=keys", "--set", "passphrase=env:WORD")
    assert program(*key, "init").returncode == 0
    signed = program("sign", "message")
    shown = program("show", "--format", "pem")
    PublicKey.from_pem(shown.stdout).verify(signed.stdout, MESSAGE)
