"""A small, faithful AWS KMS for tests: of this package, and of whatever signs with it.

It answers over HTTP as KMS does, to any client (boto3, another language's SDK, the ``awskms`` backend), checks the
request's SigV4 signature and permissions, and fails on demand in the ways in which KMS and networks fail::

    # conftest.py
    from signer_aws_kms.testing import fake_kms

    # test_mine.py
    from signer_aws_kms.testing import faults

    def test_a_throttled_key_signs_after_all(fake_kms):
        fake_kms.create_key(alias="alias/sequencer")
        fake_kms.inject(faults.throttle(), operation="Sign", times=2)
        with create_signer({"backend": "awskms", "key_id": "alias/sequencer"}) as signer:
            signer.sign(b"block header")
        assert fake_kms.requests["Sign"] == 3

Without pytest, :class:`FakeKms` is a context manager, and ``python -m signer_aws_kms.testing`` a server to play with.
Only the fixture needs pytest, which ``signer-aws-kms[testing]`` brings.
"""

from typing import TYPE_CHECKING, Any

from signer_aws_kms.testing import faults
from signer_aws_kms.testing.identities import Identity
from signer_aws_kms.testing.keys import FakeKey
from signer_aws_kms.testing.server import FakeKms

if TYPE_CHECKING:
    from signer_aws_kms.testing.fixtures import fake_kms

__all__ = ["FakeKey", "FakeKms", "Identity", "fake_kms", "faults"]


if not TYPE_CHECKING:  # pytest is imported by those who ask for the fixture

    def __getattr__(name: str) -> Any:
        if name == "fake_kms":
            from signer_aws_kms.testing.fixtures import fake_kms

            return fake_kms
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
