"""The peers that the backend is tested against: the fake KMS of its own, and ministack."""

from collections.abc import Iterator
from typing import Any

import pytest

from signer_aws_kms.testing import FakeKms, fake_kms
from tests.plugins.aws_kms.clients import boto3_client
from tests.plugins.aws_kms.ministack import Ministack

__all__ = ["fake_kms"]


@pytest.fixture
def client(fake_kms: FakeKms) -> Iterator[Any]:
    """A plain boto3 client of the fake KMS, which tries once."""
    with boto3_client(fake_kms) as client:
        yield client


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """A running ministack; a machine that cannot have it fails the tests."""
    with Ministack(tmp_path_factory.mktemp("ministack") / "log") as running:
        yield running
