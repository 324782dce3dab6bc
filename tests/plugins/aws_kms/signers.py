"""Signers of the fake KMS, with nothing configured but what a test is about."""

from typing import Any

from signer_core import Deadline, Signer, create_signer
from signer_core.hookspecs import Verdict
from signer_core.plugins import load_backend

ALIAS = "alias/sequencer"


def options(**more: Any) -> dict[str, Any]:
    """The configuration of the key at ``alias/sequencer``."""
    return {"backend": "awskms", "key_id": ALIAS, **more}


def opened(**more: Any) -> Signer:
    """The signer of that key, which tries once unless told otherwise."""
    return create_signer(options(**{"max_retries": 0, **more}))


def check(seconds: float = 10.0, **more: Any) -> list[Verdict]:
    """What ``signer check`` says."""
    from signer_aws_kms import AwsKmsConfig

    return list(load_backend("awskms").check(AwsKmsConfig(**{"key_id": ALIAS, **more}), Deadline.after(seconds)))
