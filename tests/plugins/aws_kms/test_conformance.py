"""The backend awskms does what every backend must do."""

import itertools
from collections.abc import Iterator

import pytest

from signer_aws_kms.testing import FakeKms
from signer_core.testing import SigningKeyConformance

_names = itertools.count()


class TestAlias(SigningKeyConformance):
    """With a key that is named by its alias, as most are."""

    @pytest.fixture(scope="class")
    @classmethod
    def kms(cls) -> Iterator[FakeKms]:
        with FakeKms() as kms, pytest.MonkeyPatch.context() as environment:
            for name, value in kms.environment().items():
                environment.setenv(name, value)
            yield kms

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, kms: FakeKms) -> dict[str, object]:
        kms.create_key(alias="alias/sequencer")
        return {"backend": "awskms", "key_id": "alias/sequencer"}

    @pytest.fixture
    def missing_config(self, kms: FakeKms) -> dict[str, object]:
        return {"backend": "awskms", "key_id": f"alias/missing-{next(_names)}"}
