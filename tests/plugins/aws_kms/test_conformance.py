"""The backend awskms does what every backend must do."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping

import pytest

from signer_aws_kms.testing import FakeKms, faults
from signer_core import Secret
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    DeadlineExceededError,
    KeyUnavailableError,
    SignError,
)
from signer_core.testing import Breakage, SigningKeyConformance

pytestmark = pytest.mark.usefixtures("unmeasured_processes")

_names = itertools.count()

#: What KMS and the way to it may do for a while, and what it leads to.
BREAKAGES: dict[str, tuple[type[SignError], faults.Fault]] = {
    "throttled": (BackendUnavailableError, faults.throttle()),
    "refused": (BackendUnavailableError, faults.http_error(503)),
    "reset": (BackendUnavailableError, faults.reset()),
    "garbled": (BackendUnavailableError, faults.garbage()),
    "hanging": (DeadlineExceededError, faults.hang()),
    "denied": (AccessDeniedError, faults.error("AccessDeniedException")),
    "disabled": (KeyUnavailableError, faults.error("DisabledException")),
}


class TestAlias(SigningKeyConformance):
    """With an Ed25519 key that is named by its alias, as most are."""

    spec = "ECC_NIST_EDWARDS25519"
    more: Mapping[str, object] = {}

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
        kms.create_key(alias="alias/sequencer", spec=cls.spec)
        return {"backend": "awskms", "key_id": "alias/sequencer", **cls.more}

    @pytest.fixture
    def missing_config(self, kms: FakeKms) -> dict[str, object]:
        return {"backend": "awskms", "key_id": f"alias/missing-{next(_names)}"}

    @pytest.fixture
    def secrets(self, kms: FakeKms) -> dict[str, Secret]:
        return {"secret access key": Secret(kms.environment()["AWS_SECRET_ACCESS_KEY"].encode())}

    @pytest.fixture(params=BREAKAGES)
    def breakage(self, kms: FakeKms, request: pytest.FixtureRequest) -> Breakage:
        error, fault = BREAKAGES[request.param]

        @contextlib.contextmanager
        def broken() -> Iterator[None]:
            kms.inject(fault, times=None)
            try:
                yield
            finally:
                kms.clear_faults()

        return error, broken()


@pytest.mark.slow
class TestEcdsa(TestAlias):
    """With a key on an elliptic curve."""

    spec = "ECC_SECG_P256K1"


@pytest.mark.slow
class TestRsa(TestAlias):
    """With an RSA key, and not with the first of the algorithms that it serves."""

    spec = "RSA_2048"
    more: Mapping[str, object] = {"algorithm": "rsa-pkcs1v15-sha384"}


@pytest.mark.slow
class TestMlDsa(TestAlias):
    """With an ML-DSA key."""

    spec = "ML_DSA_65"
