"""The backend noop does what every backend must do."""

from typing import Any

import pytest

from signer_core.testing import SigningKeyConformance

pytestmark = pytest.mark.usefixtures("unmeasured_processes")


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


@pytest.mark.slow
class TestSeedOfEcdsa(SigningKeyConformance):
    """A key of an algorithm that is not deterministic, found again."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls) -> dict[str, Any]:
        return {"backend": "noop", "algorithm": "ecdsa-secp256k1-sha256", "seed": "46" * 32}


@pytest.mark.slow
class TestSeedOfMlDsa(SigningKeyConformance):
    """A key with large signatures, found again."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls) -> dict[str, Any]:
        return {"backend": "noop", "algorithm": "ml-dsa-65", "seed": "46" * 32}


@pytest.mark.slow
class TestFreshRsa(SigningKeyConformance):
    """A key without a raw form, and so without an address."""

    @pytest.fixture
    def config(self) -> dict[str, Any]:
        return {"backend": "noop", "algorithm": "rsa-pkcs1v15-sha512"}
