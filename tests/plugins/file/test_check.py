"""What ``signer check`` says of a key file."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Deadline, Secret
from signer_core.hookspecs import Verdict
from signer_core.plugins import load_backend
from signer_file.config import FileConfig
from signer_file.pkcs8 import encrypt

from .keys import ASCII, LEGACY, write_private


def check(path: Path, **more: Any) -> list[Verdict]:
    plugin = load_backend("file")
    return list(plugin.check(FileConfig(path=path, passphrase=Secret(b"not needed"), **more), Deadline.after(None)))


def failed(verdicts: list[Verdict]) -> list[tuple[str, str, str | None]]:
    return [(each.step, each.detail, each.remedy) for each in verdicts if not each.passed]


def test_a_key_file_in_order_passes_every_step(tmp_path: Path) -> None:
    path = ASCII.copy_to(tmp_path)
    verdicts = check(tmp_path)
    assert [(each.step, each.passed) for each in verdicts] == [
        ("key file", True),
        ("key file permissions", True),
        ("key directory permissions", True),
        ("key file encryption", True),
    ]
    assert verdicts[0].detail == f"{path}, evnode"


def test_a_missing_key_file_fails_with_the_remedy(tmp_path: Path) -> None:
    assert failed(check(tmp_path)) == [("key file", f"there is no key at {tmp_path}", "make one with: signer init")]


def test_a_damaged_key_file_fails_with_a_remedy(tmp_path: Path) -> None:
    path = write_private(tmp_path / "signer.json", b"{")
    (verdict,) = check(tmp_path)
    assert (verdict.passed, verdict.detail) == (False, f"{path}: it is not valid JSON, or only a part of it")
    assert verdict.remedy


def test_loose_modes_fail_with_the_remedy(tmp_path: Path) -> None:
    path = ASCII.copy_to(tmp_path)
    path.chmod(0o644)
    tmp_path.chmod(0o777)
    assert failed(check(tmp_path)) == [
        ("key file permissions", f"{path} has the mode 0644", f"chmod 600 {path}"),
        ("key directory permissions", f"{tmp_path} has the mode 0777", f"chmod 700 {tmp_path}"),
    ]


@pytest.mark.parametrize("path", ["", "signer.json"])
def test_what_a_killed_writer_left_fails_with_the_remedy(path: str, tmp_path: Path) -> None:
    ASCII.copy_to(tmp_path)
    left = write_private(tmp_path / ".signer.json.0123456789abcdef.tmp", b"half a k")
    for other in (".signer.json.tmp", ".other.json.0123456789abcdef.tmp", "signer.json.bak"):
        write_private(tmp_path / other, b"")
    assert failed(check(tmp_path / path)) == [
        ("leftover files", f"{left} is what a process left that was stopped while it wrote", f"rm {left}")
    ]


def test_what_a_killed_init_left_is_told_though_there_is_no_key(tmp_path: Path) -> None:
    left = write_private(tmp_path / ".signer.pem.0123456789abcdef.tmp", b"")
    assert [(step, remedy) for step, _, remedy in failed(check(tmp_path))] == [
        ("key file", "make one with: signer init"),
        ("leftover files", f"rm {left}"),
    ]


def test_an_old_derivation_fails_with_the_remedy(tmp_path: Path) -> None:
    LEGACY.copy_to(tmp_path)
    ((step, detail, remedy),) = failed(check(tmp_path))
    assert (step, remedy) == ("key file encryption", "encrypt it anew with: signer file passwd")
    assert "old one without a salt" in detail


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("how", [["-v2", "aes-256-cbc"], ["-scrypt"]])
def test_a_weak_derivation_fails_with_the_remedy(how: list[str], tmp_path: Path) -> None:
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], check=True, capture_output=True).stdout
    command = ["openssl", "pkcs8", "-topk8", *how, "-passout", "pass:x"]
    write_private(tmp_path / "signer.pem", subprocess.run(command, input=pem, check=True, capture_output=True).stdout)
    ((step, _, remedy),) = failed(check(tmp_path))
    assert (step, remedy) == ("key file encryption", "encrypt it anew with: signer file passwd")


def test_a_file_that_could_have_been_altered_unnoticed_has_a_step_of_its_own(tmp_path: Path) -> None:
    path = write_private(tmp_path / "signer.pem", encrypt(Ed25519PrivateKey.generate(), b"x"))
    verdict = check(tmp_path)[-1]
    assert (verdict.step, verdict.passed) == ("key file integrity", True)
    assert verdict.detail == f"{path}: nothing in the file tells whether it was altered"
    assert verdict.remedy == "`signer file passwd` adds the public key, or set expected_address"


def test_an_unencrypted_file_passes_where_it_is_allowed(tmp_path: Path) -> None:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write_private(tmp_path / "signer.pem", Ed25519PrivateKey.generate().private_bytes(*form))
    assert check(tmp_path, allow_unencrypted=True)[-1].detail == "none, which allow_unencrypted permits"


def test_a_file_of_another_user_fails_unless_root_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ASCII.copy_to(tmp_path)
    owner = path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    expected = (
        []
        if owner == 0
        else [("key file permissions", f"{path} belongs to another user (uid {owner})", f"chown {owner + 1} {path}")]
    )
    assert failed(check(tmp_path)) == expected


@pytest.mark.parametrize(
    ("mode", "passes"), [(0o400, True), (0o440, True), (0o640, True), (0o660, False), (0o450, False), (0o444, False)]
)
def test_a_file_of_root_may_be_readable_to_its_group(
    mode: int, passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kubernetes mounts secrets so for who is not root, and systemd credentials; no other user's file may be."""
    path = ASCII.copy_to(tmp_path)
    path.chmod(mode)
    owner = path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    verdict = check(tmp_path)[1]
    assert (verdict.step, verdict.passed) == ("key file permissions", passes and owner == 0)
    if verdict.passed:
        who = "its owner" if mode == 0o400 else "root and its group"
        assert verdict.detail == f"only {who} can read it"
    else:
        assert verdict.remedy == f"chmod 640 {path}" if owner == 0 else verdict.remedy
