"""The backend noop does what every backend must do."""

import pytest

from signer_core.testing import SigningKeyConformance


class TestSeed(SigningKeyConformance):
    """With a seed: a key that is found again."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls) -> dict[str, str]:
        return {"backend": "noop", "seed": "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"}


class TestFresh(SigningKeyConformance):
    """Without one: a key that is gone when its signer is."""

    @pytest.fixture
    def config(self) -> dict[str, str]:
        return {"backend": "noop"}
