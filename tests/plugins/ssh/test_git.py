"""git signs by keys that only signers have."""

import os
import subprocess
from pathlib import Path

import pytest

from signer_aws_kms.testing import FakeKms
from signer_core import Algorithm, create_signer
from signer_ssh.keys import NAMES
from tests.plugins.ssh.keys import public_key, write_key, write_public_key
from tests.plugins.ssh.programs import SIGN, output, run, running_agent

pytestmark = [pytest.mark.peer("git", "ssh-keygen"), pytest.mark.usefixtures("unmeasured_processes")]


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository as the working directory, whose commits signer-ssh-sign is to sign, and no other settings of git."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # git 2.39 leaves its file of a literal key behind
    path = tmp_path / "repository"
    path.mkdir()
    monkeypatch.chdir(path)
    output("git", "init", "-q")
    configure(
        **{
            "user.name": "Me",
            "user.email": "me@here",
            "gpg.format": "ssh",
            "gpg.ssh.program": str(SIGN),
            "gpg.ssh.allowedSignersFile": str(tmp_path / "allowed"),
        }
    )
    return path


def configure(**options: str) -> None:
    for name, value in options.items():
        output("git", "config", name, value)


def commit() -> subprocess.CompletedProcess[str]:
    return run("git", "commit", "-q", "--allow-empty", "-S", "-m", "signed")


def user_configuration(home: Path, content: str) -> None:
    config = home / ".config" / "signer" / "signer.toml"
    config.parent.mkdir(parents=True)
    config.write_text(content)
    config.chmod(0o600)


def verified() -> str:
    done = run("git", "verify-commit", "HEAD")
    assert done.returncode == 0, done.stderr
    return str(done.stderr)


def test_a_commit_and_a_tag_are_signed_by_a_key_that_only_kms_has(tmp_path: Path, fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias="alias/release")
    user_configuration(tmp_path / "home", '[signer]\nbackend = "awskms"\nkey_id = "alias/release"\n')
    with create_signer({"backend": "awskms", "key_id": "alias/release"}) as signer:
        line = signer.public_key.to_openssh()
    (tmp_path / "release.pub").write_bytes(line + b"\n")
    (tmp_path / "allowed").write_bytes(b'me@here namespaces="git" ' + line + b"\n")
    configure(**{"user.signingKey": str(tmp_path / "release.pub")})
    done = commit()
    assert (done.returncode, done.stderr) == (0, "")
    assert verified().startswith('Good "git" signature for me@here with ED25519 key')
    assert fake_kms.requests["Sign"] == 1
    output("git", "tag", "-s", "v1", "-m", "released")
    assert run("git", "verify-tag", "v1").returncode == 0
    assert fake_kms.requests["Sign"] == 2


@pytest.mark.parametrize("algorithm", NAMES)
def test_git_verifies_a_signature_by_a_key_of_each_kind(algorithm: Algorithm, tmp_path: Path) -> None:
    """The key is written into the configuration of git, and so into a file that is gone afterwards."""
    user_configuration(tmp_path / "home", f"[signer]\n{write_key(tmp_path, algorithm)}")
    line = public_key(algorithm).to_openssh().decode()
    (tmp_path / "allowed").write_text(f"me@here {line}\n")
    configure(**{"user.signingKey": f"key::{line} a comment"})
    done = commit()
    assert (done.returncode, done.stderr) == (0, "")
    assert verified().startswith('Good "git" signature for me@here')


def test_a_repository_brings_no_configuration(repository: Path, tmp_path: Path) -> None:
    """It would choose the key, or the plugin that runs."""
    (repository / "signer.toml").write_text(f"[signer]\n{write_key(tmp_path)}")
    write_public_key(tmp_path / "key.pub")
    configure(**{"user.signingKey": str(tmp_path / "key.pub")})
    done = commit()
    assert done.returncode == 128
    assert f"error: there is no configuration file {tmp_path}/home/.config/signer/signer.toml" in done.stderr
    assert run("git", "rev-parse", "HEAD").returncode == 128


def test_git_shows_what_is_wrong(tmp_path: Path) -> None:
    user_configuration(tmp_path / "home", f"[signer]\n{write_key(tmp_path, number=2)}")
    write_public_key(tmp_path / "key.pub")
    configure(**{"user.signingKey": str(tmp_path / "key.pub")})
    done = commit()
    assert done.returncode == 128
    assert f"error: no signer of the configuration has the public key in {tmp_path}/key.pub\nremedy: " in done.stderr


@pytest.mark.peer("ssh-add")
def test_the_agent_signs_for_git_where_it_is_allowed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ssh-keygen, which git calls unless told otherwise, asks the agent."""
    config = tmp_path / "signer.toml"
    config.write_text(f"[signers.mine]\n{write_key(tmp_path)}")
    line = public_key().to_openssh().decode()
    (tmp_path / "allowed").write_text(f"me@here {line}\n")
    configure(**{"gpg.ssh.program": "ssh-keygen", "user.signingKey": f"key::{line}"})
    with running_agent(tmp_path, "--config", config) as agent:
        monkeypatch.setenv("SSH_AUTH_SOCK", agent.socket)
        refused = commit()
    with running_agent(tmp_path, "--config", config, "--allow-namespace", "git") as agent:
        done = commit()
    assert "agent refused operation" in refused.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert verified().startswith('Good "git" signature for me@here')
