"""Logins with OpenSSH's client at OpenSSH's sshd, by keys that only signers have."""

import shlex
from pathlib import Path

import pytest

from signer_aws_kms.testing import FakeKms
from signer_core import Algorithm
from signer_ssh.keys import NAMES
from tests.plugins.ssh.keys import public_key, write_key
from tests.plugins.ssh.programs import running_agent, running_sshd

pytestmark = [pytest.mark.peer("ssh", "ssh-add", "ssh-keygen", "sshd"), pytest.mark.slow]


def test_a_login_by_a_key_that_only_kms_has(tmp_path: Path, fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias="alias/login")
    config = tmp_path / "signer.toml"
    config.write_text('[signers.kms]\nbackend = "awskms"\nkey_id = "alias/login"\n')
    with running_sshd(tmp_path / "sshd") as sshd, running_agent(tmp_path, "--config", config) as agent:
        refused = sshd.login(agent.socket)
        listed = agent.ssh_add("-L").stdout
        sshd.authorized_keys.write_text(listed)
        done = sshd.login(agent.socket)
    assert listed.startswith("ssh-ed25519 ")
    assert listed.endswith(" kms\n")
    assert (refused.returncode, refused.stdout) == (255, "")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert fake_kms.requests["Sign"] == 1
    assert "info: signed a login as" in agent.log


@pytest.mark.parametrize(
    ("algorithm", "host_key"),
    [*((each, "ed25519") for each in NAMES), *((Algorithm.ED25519, each) for each in ("ecdsa", "rsa"))],
)
def test_a_login_by_a_key_of_each_kind_at_hosts_of_each_kind(
    algorithm: Algorithm, host_key: str, tmp_path: Path
) -> None:
    """The client binds its connection to the session, which the host has signed."""
    config = tmp_path / "signer.toml"
    config.write_text(f"[signer]\n{write_key(tmp_path, algorithm)}")
    with (
        running_sshd(tmp_path / "sshd", host_key=host_key) as sshd,
        running_agent(tmp_path, "--config", config) as agent,
    ):
        sshd.authorized_keys.write_bytes(public_key(algorithm).to_openssh() + b"\n")
        done = sshd.login(agent.socket, "-o", f"PubkeyAcceptedAlgorithms={NAMES[algorithm]}")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert "refused" not in agent.log


def test_rsa_signs_with_the_configured_hash_alone(tmp_path: Path) -> None:
    algorithm = Algorithm.RSA_PKCS1V15_SHA256
    config = tmp_path / "signer.toml"
    config.write_text(f"[signer]\n{write_key(tmp_path, algorithm)}")
    with running_sshd(tmp_path / "sshd") as sshd, running_agent(tmp_path, "--config", config) as agent:
        sshd.authorized_keys.write_bytes(public_key(algorithm).to_openssh() + b"\n")
        done = sshd.login(agent.socket, "-o", "PubkeyAcceptedAlgorithms=rsa-sha2-512,ssh-rsa")
    assert done.returncode == 255
    assert "was to sign otherwise than with rsa-sha2-256" in agent.log


def test_a_login_through_a_host_that_the_agent_is_forwarded_to(tmp_path: Path) -> None:
    config = tmp_path / "signer.toml"
    config.write_text(f"[signer]\n{write_key(tmp_path)}")
    with (
        running_sshd(tmp_path / "first") as first,
        running_sshd(tmp_path / "second") as second,
        running_agent(tmp_path, "--config", config) as agent,
    ):
        for host in (first, second):
            host.authorized_keys.write_bytes(public_key().to_openssh() + b"\n")
        onward = shlex.join([*second.command("SSH_AUTH_SOCK"), "echo hello from there"])
        done = first.login(agent.socket, "-A", command=onward)
    assert (done.returncode, done.stdout) == (0, "hello from there\n"), done.stderr
    assert agent.log.count("info: signed a login as") == 2
    assert "refused" not in agent.log
