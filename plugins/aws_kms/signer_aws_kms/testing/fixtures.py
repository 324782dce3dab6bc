"""The pytest fixture."""

from collections.abc import Iterator

import pytest

from signer_aws_kms.testing.server import FakeKms


@pytest.fixture
def fake_kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    """A :class:`FakeKms` to which the environment of the test leads: no other configuration is needed."""
    with FakeKms() as kms:
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        yield kms
