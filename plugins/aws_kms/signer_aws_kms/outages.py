"""What a source of credentials fails with, and whether it will pass."""

import errno
import re
from typing import Any

#: Sources that are services of the machine or container, and have a CredentialRetrievalError for being away.
_LOCAL_SERVICES = ("iam-role", "container-role")
_PASSING_CODE = re.compile(
    r".*Thrott.*|TooManyRequests.*|RequestLimitExceeded|RequestTimeout.*|InternalFailure|ServiceUnavailable.*"
    r"|IDPCommunicationError"  # STS had no answer of the identity provider
)
_SHORT_OF = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


def will_pass(error: BaseException) -> bool:
    """Whether the same question may be answered soon: the network, a service or this machine was not up to it.

    A credential process that failed is not among these: it alone knows why, and what it says may be secret.
    """
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        code, status = _of_client(error)
        return status == 429 or status >= 500 or _PASSING_CODE.fullmatch(code) is not None
    if isinstance(error, exceptions.SSLError):  # a ConnectionError, and most often a certificate
        return False
    if isinstance(error, exceptions.CredentialRetrievalError):
        return error.kwargs.get("provider") in _LOCAL_SERVICES
    passing = (
        exceptions.ConnectionError,  # none in time, none to the endpoint, none to the proxy
        exceptions.HTTPClientError,  # one that broke or was silent
        exceptions.IncompleteReadError,
        exceptions.MetadataRetrievalError,
        exceptions.CapacityNotAvailableError,  # botocore's own bound to its retries
        TimeoutError,
        ConnectionError,
    )
    return isinstance(error, passing) or (isinstance(error, OSError) and error.errno in _SHORT_OF)


def named(error: BaseException) -> str:
    """The error in words that hold no secret: botocore's own where it says what to do, AWS's code, or just its kind."""
    from botocore import exceptions

    telling = (
        exceptions.InvalidConfigError,
        exceptions.PartialCredentialsError,
        exceptions.ProfileNotFound,
        exceptions.RefreshWithMFAUnsupportedError,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    )
    if isinstance(error, telling):
        return str(error).removesuffix(".")
    if isinstance(error, exceptions.ClientError):
        code, _ = _of_client(error)
        if code.isalnum() and code.isascii():
            return f"AWS answered {error.operation_name} with {code}"
    return type(error).__name__


def remedy(error: BaseException) -> str:
    """What to do about it."""
    from botocore import exceptions

    if isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError):
        return "log in: `aws sso login`, with --profile where it is not the default one"
    return "`aws sts get-caller-identity` takes the same way to them, and tells more"


def _of_client(error: Any) -> tuple[str, int]:
    """AWS's code, and HTTP's."""
    response = error.response
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return str(response.get("Error", {}).get("Code")), status if isinstance(status, int) else 0
