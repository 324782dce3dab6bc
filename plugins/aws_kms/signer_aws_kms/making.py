"""``signer init``: the key of an alias that does not exist yet.

KMS is eventually consistent: what was made may not be seen for some seconds, and what one reads may be out of date. So
a key is made once at most, and from then on spoken of by its ARN until it is seen.
"""

import json
import logging
import re
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from signer_aws_kms.account import Account
from signer_aws_kms.asked import Asked
from signer_aws_kms.config import ATTEMPT_TIMEOUT, AwsKmsConfig
from signer_aws_kms.failures import incomplete
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.key_names import alias_in, is_key_arn, region_of
from signer_aws_kms.opening import USAGE, account_of, open_with, resolved
from signer_aws_kms.signing_algorithms import key_spec_of_new
from signer_core.algorithms import Algorithm
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

#: What the ARNs of one account in one region begin with.
_PLACE = re.compile(r"arn:[\w-]+:kms:[\w-]+:\w+:(?=(?:key|alias)/)")

#: What may be done again goes on until the deadline of the whole, each attempt with its own.
_STEPS = Attempts(attempt_timeout=ATTEMPT_TIMEOUT, max_retries=1_000)

T = TypeVar("T")


def init_key(config: AwsKmsConfig, deadline: Deadline) -> AwsKmsKey:
    """The key that ``config`` names; made first where it is an alias that does not exist."""
    account = account_of(config, deadline)
    try:
        return open_with(account, config, deadline.within(ATTEMPT_TIMEOUT))
    except KeyNotFoundError as error:
        alias = alias_in(config.key_id)
        if alias is None:
            raise KeyNotFoundError(
                error.message, remedy="correct key_id; only the key of an alias (alias/…) is ever made"
            ) from error
    if alias.startswith("alias/aws/"):
        raise ConfigError(f"{alias} is a name of AWS's own", remedy="use one that does not begin with alias/aws/")
    if alias != config.key_id and _is_elsewhere(account, config.key_id, alias, deadline.within(ATTEMPT_TIMEOUT)):
        raise ConfigError(
            f"{config.key_id} is not in the account and region of these credentials, where its key would be made",
            remedy=f"correct key_id, or write {alias}",
        )
    made = _make(account, config, deadline)
    try:
        return _name(account, config, alias, made, deadline)
    except SignerError as error:
        kind = type(error) if isinstance(error, SignError) else SignError
        first = f"{error.remedy}; " if error.remedy else ""
        raise kind(
            f"the key {made} was made, but {config.key_id} does not lead to it yet: {error.message}",
            remedy=f"{first}if it still does not: aws kms create-alias --alias-name {alias} --target-key-id {made};"
            f" or delete the key: aws kms schedule-key-deletion --key-id {made}",
            retryable=False,  # or another key would be made
        ) from error


def _is_elsewhere(account: Account, alias_arn: str, alias: str, deadline: Deadline) -> bool:
    """Whether the ARN is one of another region or account; aliases are made where the credentials are.

    Which account that is, KMS tells when it is asked for the alias by its name alone: in the ARN of the key, or in the
    text that there is no such alias.
    """
    region = account.place.region
    if region_of(alias_arn) != region:
        return True
    asked = Asked("GetPublicKey", alias, region)
    try:
        told = str(account.transport.call(asked, json.dumps({"KeyId": alias}).encode(), deadline).get("KeyId"))
    except KeyNotFoundError as error:
        told = error.message
    here = _PLACE.search(told)
    return here is not None and not alias_arn.startswith(here[0])


def _make(account: Account, config: AwsKmsConfig, deadline: Deadline) -> str:
    """The ARN of a new key."""
    key_spec = key_spec_of_new(config.algorithm or Algorithm.ED25519, config.rsa_bits)
    request: dict[str, Any] = {"KeySpec": key_spec, "KeyUsage": USAGE, "Description": config.description}
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
    """Give the key its alias, and open the key that has it: where somebody was quicker, that is another one."""
    asked = Asked("CreateAlias", alias, account.place.region, resources=(f"{made.partition('key/')[0]}{alias}", made))
    body = json.dumps({"AliasName": alias, "TargetKeyId": made}).encode()
    try:
        _until_seen(lambda step: account.transport.call(asked, body, step), deadline)
    except KeyExistsError:
        pass  # perhaps it is our own, and an answer was lost
    arn, _ = _until_seen(lambda step: resolved(account, config, step), deadline)
    if arn != made:
        _logger.warning(
            "somebody else was quicker to make %s: it is %s; the key %s was made in vain, and costs money until "
            "aws kms schedule-key-deletion --key-id %s",
            alias,
            arn,
            made,
            made,
        )
    by_arn = attrs.evolve(config, key_id=arn)
    return AwsKmsKey(account, config, *_until_seen(lambda step: resolved(account, by_arn, step), deadline))


def _until_seen(step: Callable[[Deadline], T], deadline: Deadline) -> T:
    """``step``, again for as long as KMS does not see yet what was made."""

    def attempt(of_step: Deadline) -> T:
        try:
            return step(of_step)
        except KeyNotFoundError as error:
            raise BackendUnavailableError(error.message) from error

    return _STEPS.run(attempt, deadline)
