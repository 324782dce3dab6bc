"""``signer init``: the key of an alias that does not exist yet.

KMS is eventually consistent: what was made may not be seen for some seconds, and what one reads may be out of date. So
a key is made once at most, and from then on spoken of by its ARN until it is seen.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from signer_aws_kms.account import Account
from signer_aws_kms.asked import Asked
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.failures import incomplete
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.key_names import alias_in, is_key_arn
from signer_aws_kms.opening import SPEC, USAGE, account_of, judged, open_with, resolved
from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import (
    BackendUnavailableError,
    ConfigError,
    KeyExistsError,
    KeyNotFoundError,
    SignerError,
    SignError,
)

_logger = logging.getLogger("signer_aws_kms")

#: The steps after the key was made: they go on until the deadline of the whole, each attempt with its own.
_STEPS = Attempts(attempt_timeout=3.0, max_retries=1_000)

T = TypeVar("T")


def init_key(config: AwsKmsConfig, deadline: Deadline) -> AwsKmsKey:
    """The key that ``config`` names; made first where it is an alias that does not exist."""
    account = account_of(config, deadline)
    try:
        return open_with(account, config, deadline)
    except KeyNotFoundError as error:
        alias = alias_in(config.key_id)
        if alias is None:
            raise KeyNotFoundError(
                error.message, remedy="correct key_id; only the key of an alias (alias/…) is ever made"
            ) from error
    if alias.startswith("alias/aws/"):
        raise ConfigError(f"{alias} is a name of AWS's own", remedy="use one that does not begin with alias/aws/")
    made = _make(account, config, deadline)
    try:
        arn = _name(account, config, alias, made, deadline)
    except SignerError as error:
        raise SignError(
            f"the key {made} was made, but {config.key_id} does not lead to it yet: {error.message}",
            remedy=f"aws kms create-alias --alias-name {alias} --target-key-id {made}, then open it; or delete"
            f" the key: aws kms schedule-key-deletion --key-id {made}",
            retryable=False,  # or another key would be made
        ) from error
    return arn


def _make(account: Account, config: AwsKmsConfig, deadline: Deadline) -> str:
    """The ARN of a new key."""
    request: dict[str, Any] = {"KeySpec": SPEC, "KeyUsage": USAGE, "Description": config.description}
    if config.tags:
        request["Tags"] = [{"TagKey": name, "TagValue": value} for name, value in config.tags.items()]
    asked = Asked(
        "CreateKey",
        f"a key for {config.key_id}",
        account.place.region,
        resources=("*",),
        in_doubt="a key may have been made, and costs money: look in `aws kms list-keys` and in CloudTrail",
    )
    answer = account.transport.call(asked, json.dumps(request).encode(), deadline)
    metadata = answer.get("KeyMetadata")
    arn = metadata.get("Arn") if isinstance(metadata, dict) else None
    if not isinstance(arn, str) or not is_key_arn(arn):
        raise incomplete(asked, "key ARN")
    _logger.info("made the KMS key %s", arn)
    return arn


def _name(account: Account, config: AwsKmsConfig, alias: str, made: str, deadline: Deadline) -> AwsKmsKey:
    """Give the key its alias, and open it; or, where somebody was quicker, the key that has it."""
    if config.key_id.startswith("arn:") and not config.key_id.startswith(f"{made.partition(':key/')[0]}:"):
        raise ConfigError(f"{config.key_id} is not in the account and region of these credentials")
    region = account.place.region
    asked = Asked("CreateAlias", alias, region, resources=(f"{made.partition('key/')[0]}{alias}", made))
    body = json.dumps({"AliasName": alias, "TargetKeyId": made}).encode()
    try:
        _until_seen(lambda step: account.transport.call(asked, body, step), deadline)
    except KeyExistsError:
        arn, public_key = _until_seen(lambda step: resolved(account, config, step), deadline)
        if arn != made:  # else an answer was lost, and the alias is our own
            _logger.warning(
                "somebody else was quicker to make %s: it is %s; the key %s was made in vain, and costs money until "
                "aws kms schedule-key-deletion --key-id %s",
                alias,
                arn,
                made,
                made,
            )
        return AwsKmsKey(account, config, arn, public_key)

    def look(step: Deadline) -> AwsKmsKey:
        asked = Asked("GetPublicKey", made, region)
        answer = account.transport.call(asked, json.dumps({"KeyId": made}).encode(), step)
        return AwsKmsKey(account, config, *judged(answer, asked))

    return _until_seen(look, deadline)


def _until_seen(step: Callable[[Deadline], T], deadline: Deadline) -> T:
    """``step``, again for as long as KMS does not see yet what was made."""

    def attempt(of_step: Deadline) -> T:
        try:
            return step(of_step)
        except KeyNotFoundError as error:
            raise BackendUnavailableError(error.message) from error

    return _STEPS.run(attempt, deadline)
