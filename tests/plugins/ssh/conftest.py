"""What the tests of signer-ssh share."""

import pytest

from signer_aws_kms.testing import fake_kms

__all__ = ["fake_kms"]


@pytest.fixture(autouse=True)
def _clean(clean_environment: pytest.MonkeyPatch) -> None:
    """No ``SIGNER_…`` variable, and no agent of the user who runs the tests."""
    for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "XDG_CONFIG_HOME"):
        clean_environment.delenv(name, raising=False)
