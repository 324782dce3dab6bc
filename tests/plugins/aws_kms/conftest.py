"""The peers that the backend is tested against: the fake KMS of its own, and ministack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signer_aws_kms.testing import FakeKms, fake_kms
from tests.plugins.aws_kms.certificates import authority_and_server
from tests.plugins.aws_kms.clients import boto3_client
from tests.plugins.aws_kms.ministack import Ministack
from tests.plugins.aws_kms.signers import ALIAS

__all__ = ["fake_kms"]


@pytest.fixture
def client(fake_kms: FakeKms) -> Iterator[Any]:
    """A plain boto3 client of the fake KMS, which tries once."""
    with boto3_client(fake_kms) as client:
        yield client


@pytest.fixture
def tls_kms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    """A fake KMS that shows a certificate, which AWS_CA_BUNDLE vouches for."""
    authority, context = authority_and_server(tmp_path)
    with FakeKms(tls=context) as kms:
        for name, value in {**kms.environment(), "AWS_CA_BUNDLE": str(authority)}.items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        yield kms


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """A running ministack; a machine that cannot have it fails the tests."""
    with Ministack(tmp_path_factory.mktemp("ministack") / "log") as running:
        yield running
