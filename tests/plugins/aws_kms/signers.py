"""Signers of the fake KMS, with nothing configured but what a test is about."""

import time
from collections.abc import Callable
from typing import Any

from signer_aws_kms import AwsKmsConfig
from signer_aws_kms.account import Account
from signer_aws_kms.accounts import open_account
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


def account() -> Account:
    """What the signers share whose configuration says nothing of it: while it is held, they need not wait for it."""
    return open_account(AwsKmsConfig(key_id=ALIAS), Deadline.after(60))


def check(seconds: float = 10.0, *, clock: Callable[[], float] = time.monotonic, **more: Any) -> list[Verdict]:
    """What ``signer check`` says."""
    config = AwsKmsConfig(**{"key_id": ALIAS, **more})
    return list(load_backend("awskms").check(config, Deadline.after(seconds, clock=clock)))
