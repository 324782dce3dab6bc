"""Logins with OpenSSH's client at OpenSSH's sshd, by keys that only signers have."""

from pathlib import Path

import pytest

from signer_aws_kms.testing import FakeKms
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
    assert "signed a login" in agent.log
