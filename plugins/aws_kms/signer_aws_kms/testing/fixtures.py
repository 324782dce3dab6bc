"""The pytest fixture. Import it into a ``conftest.py``; a test asks for it by its name."""

import os
from collections.abc import Iterator

from signer_aws_kms.testing.server import FakeKms
from signer_core.extras import brought_by

with brought_by("signer-aws-kms[testing]", "pytest"):
    import pytest


@pytest.fixture
def fake_kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    """A running :class:`FakeKms`, without keys, to which the environment of the test leads: boto3 and the ``awskms``
    backend need no other configuration. What the environment said of AWS before is gone until the test is over.
    """
    with FakeKms() as kms:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        yield kms
