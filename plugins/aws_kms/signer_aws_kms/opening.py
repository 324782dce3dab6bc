"""Opening a key: whom its name means, whether it can sign, and with which public key."""

import base64
import binascii
import json
from typing import Any

from signer_aws_kms.account import Account
from signer_aws_kms.accounts import open_account
from signer_aws_kms.asked import Asked
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.details import plain
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.key_names import is_key_arn, may_mean
from signer_aws_kms.signing_algorithms import SERVED, algorithm_for
from signer_core.algorithms import Algorithm
from signer_core.deadline import Deadline
from signer_core.errors import (
    DeadlineExceededError,
    KeyFormatError,
    KeyMismatchError,
    KeyUnavailableError,
    SignError,
    UnsupportedAlgorithmError,
)
from signer_core.public_key import PublicKey

USAGE = "SIGN_VERIFY"
#: What comes before the raw key in an Ed25519 key's SubjectPublicKeyInfo (RFC 8410, section 4).
_ED25519_HEAD = bytes.fromhex("302a300506032b6570032100")


def open_key(config: AwsKmsConfig, deadline: Deadline) -> AwsKmsKey:
    """One attempt to open the key that ``config`` names."""
    return open_with(account_of(config, deadline), config, deadline)


def account_of(config: AwsKmsConfig, deadline: Deadline, *, session: Any = None) -> Account:
    """The account of the options."""
    try:
        return open_account(config, deadline, session=session)
    except TimeoutError as error:
        raise DeadlineExceededError(
            f"{config.key_id} was not opened: botocore was not imported and AWS's configuration not read in time",
            remedy="raise the timeout, or look at the disk that they are on",
        ) from error


def open_with(account: Account, config: AwsKmsConfig, deadline: Deadline) -> AwsKmsKey:
    """The key, opened over the account's connections."""
    arn, public_key = resolved(account, config, deadline)
    return AwsKmsKey(account, config, arn, public_key)


def resolved(account: Account, config: AwsKmsConfig, deadline: Deadline) -> tuple[str, PublicKey]:
    """The ARN and the public key that ``config.key_id`` means now; any of its forms will do."""
    request: dict[str, Any] = {"KeyId": config.key_id}
    if config.grant_tokens:
        request["GrantTokens"] = config.grant_tokens
    asked = Asked("GetPublicKey", config.key_id, account.place.region)
    return judged(account.transport.call(asked, json.dumps(request).encode(), deadline), asked, config.algorithm)


def judged(answer: dict[str, Any], asked: Asked, configured: Algorithm | None) -> tuple[str, PublicKey]:
    """The ARN and public key in an answer of GetPublicKey, if they are a key's that signs with what is configured."""
    arn = answer.get("KeyId")
    if not isinstance(arn, str) or not is_key_arn(arn):
        raise _incomplete(asked, "key ARN")
    if not may_mean(asked.key_id, arn):
        raise KeyMismatchError(
            f"{asked} was answered for another key, {arn}", remedy="do not trust what answers at the endpoint"
        )
    usage = answer.get("KeyUsage")
    if usage != USAGE:
        raise KeyUnavailableError(
            plain(f"{arn} is for {usage}, not for signing"), remedy=f"use a key with KeyUsage {USAGE}"
        )
    try:
        algorithm = algorithm_for(answer.get("KeySpec", answer.get("CustomerMasterKeySpec")), configured)
        served, serves = SERVED[algorithm].name, answer.get("SigningAlgorithms")
        if not isinstance(serves, list) or served not in serves:
            raise UnsupportedAlgorithmError(f"it signs with {serves}, not with {served}", remedy="use another key")
        public_key = _public_key(base64.b64decode(answer["PublicKey"], validate=True), algorithm)
    except UnsupportedAlgorithmError as error:
        raise UnsupportedAlgorithmError(plain(f"{arn} cannot be used: {error.message}"), remedy=error.remedy) from error
    except (KeyError, TypeError, ValueError, binascii.Error, KeyFormatError) as error:
        raise _incomplete(asked, "public key") from error
    return arn, public_key


def _public_key(der: bytes, algorithm: Algorithm) -> PublicKey:
    """The key in a SubjectPublicKeyInfo. What loads all kinds of them takes a while to import, and is for others."""
    head, raw = der[: len(_ED25519_HEAD)], der[len(_ED25519_HEAD) :]
    if algorithm is Algorithm.ED25519 and head == _ED25519_HEAD:
        return PublicKey.from_raw(algorithm, raw)
    return PublicKey.from_der(der, algorithm=algorithm)


def _incomplete(asked: Asked, what: str) -> SignError:
    from signer_aws_kms.failures import incomplete

    return incomplete(asked, what)
