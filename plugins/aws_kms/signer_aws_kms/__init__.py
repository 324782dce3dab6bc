"""The ``awskms`` backend of signer-core: keys in AWS KMS, for every algorithm.

Only the hooks are here; boto3 is imported when a key is opened, so that a command that needs no KMS does not wait for
it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from signer_aws_kms.config import ATTEMPT_TIMEOUT, MAX_RETRIES, TIMEOUT, AwsKmsConfig
from signer_core.algorithms import Algorithm
from signer_core.deadline import Deadline
from signer_core.hookspecs import Backend, SigningKey, Verdict, hookimpl

if TYPE_CHECKING:
    from signer_aws_kms.key import AwsKmsKey

__all__ = ["AwsKmsConfig", "AwsKmsKey"]


if not TYPE_CHECKING:  # a key is for those who open one in code

    def __getattr__(name: str) -> Any:
        if name == "AwsKmsKey":
            from signer_aws_kms.key import AwsKmsKey

            return AwsKmsKey
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@hookimpl
def signer_backend() -> Backend:
    """Keys in AWS KMS."""
    return Backend(
        contract=1,
        config_class=AwsKmsConfig,
        remote=True,
        algorithms=frozenset(Algorithm),
        default_timeout=TIMEOUT,
        default_attempt_timeout=ATTEMPT_TIMEOUT,
        default_max_retries=MAX_RETRIES,
    )


@hookimpl
def signer_open(config: AwsKmsConfig, deadline: Deadline) -> SigningKey:
    """Open the key that exists."""
    from signer_aws_kms.opening import open_key

    return open_key(config, deadline)


@hookimpl
def signer_init(config: AwsKmsConfig, deadline: Deadline) -> SigningKey:
    """Make the key of an alias that does not exist, then open it."""
    from signer_aws_kms.making import init_key

    return init_key(config, deadline)


@hookimpl
def signer_check(config: AwsKmsConfig, deadline: Deadline) -> Iterable[Verdict]:
    """Judge the credentials, the key and the way to it."""
    from signer_aws_kms.checking import verdicts

    return verdicts(config, deadline)
