"""Signers of all kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_aws_kms.testing import FakeKms, fake_kms
from signer_core import Signer

__all__ = ["fake_kms"]


@pytest.fixture
def signer(
    request: pytest.FixtureRequest, tmp_path: Path, fake_kms: FakeKms, quick_passphrases: None
) -> Iterator[Signer]:
    """The signer of the :class:`~tests.adapters.signers.Kind` that the test is parametrised with."""
    with request.param.open(tmp_path, fake_kms) as signer:
        yield signer
