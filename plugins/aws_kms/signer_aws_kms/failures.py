"""The library's own errors for all that can go wrong between here and a signature: the one boundary.

AWS's codes are those of the KMS API reference and of its "Common Error Types".
"""

import json
import re
import socket
import ssl
from email.utils import parsedate_to_datetime
from typing import Any

import attrs

from signer_aws_kms.answer import Answer, GarbledError
from signer_aws_kms.connection import ProxyRefusedError
from signer_aws_kms.key_names import is_key_arn, region_of
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    KeyExistsError,
    KeyNotFoundError,
    KeyUnavailableError,
    SignerError,
    SignError,
)

_LONGEST_TEXT = 400  # characters of a message of AWS's
_LONGEST_RETRY_AFTER = 3600.0

_TRANSIENT = re.compile(
    r"KMSInternal|KeyUnavailable|DependencyTimeout|Internal(Failure|Exception|Error|ServerError)|ServiceUnavailable"
    r"|RequestTimeout|.*Thrott|TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded|SlowDown"
    r"|PriorRequestNotComplete|TransactionInProgress"
)
_TRANSIENT_STATUS = frozenset({429, 500, 502, 503, 504})
_CREDENTIALS = re.compile(
    r"UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidToken|MissingAuthenticationToken|AuthFailure"
    r"|InvalidAccessKeyId|OptInRequired"
)
_SIGNATURE = re.compile(r"InvalidSignature|SignatureDoesNotMatch|IncompleteSignature")
_CLOCK = re.compile(r"RequestTimeTooSkewed|RequestExpired|RequestInTheFuture")


class DryRunSucceededError(SignError):
    """The call would have succeeded, had it not been a dry run."""


@attrs.frozen
class Asked:
    """What was asked of KMS, as messages name it."""

    operation: str
    key_id: str
    region: str

    def __str__(self) -> str:
        of = f" of {self.key_id}" if self.key_id else ""
        return f"KMS {self.operation}{of} in {self.region}"


@attrs.frozen
class Refusal:
    """An answer that is an error of AWS's."""

    code: str
    text: str
    status: int
    request_id: str
    retry_after: float | None
    #: The server's clock in seconds since the epoch; None where the answer does not tell.
    date: float | None

    @classmethod
    def read(cls, answer: Answer) -> "Refusal | None":
        """The error that an answer tells of; None where it is none that AWS would send."""
        parsed = parsed_json(answer)
        code = answer.headers.get("x-amzn-errortype") or (parsed or {}).get("__type")
        if parsed is None or not isinstance(code, str):
            return None
        text = parsed.get("message") or parsed.get("Message") or ""
        return cls(
            # "com.amazonaws.kms#NotFoundException" and "NotFoundException:http://…" are forms of it
            code=_plain(code.rpartition("#")[2].partition(":")[0]),
            text=_plain(text if isinstance(text, str) else ""),
            status=answer.status,
            request_id=request_id(answer),
            retry_after=retry_after(answer),
            date=server_date(answer),
        )

    @property
    def blames_the_clock(self) -> bool:
        """A wrong clock may be the reason."""
        return bool(_CLOCK.match(self.code) or _SIGNATURE.match(self.code))

    @property
    def blames_the_token(self) -> bool:
        """The session's token is out of date."""
        return self.code.startswith("ExpiredToken")

    def error(self, asked: Asked) -> SignerError:
        """The library's own error."""
        message = f"{asked} failed: {self.code}"
        if self.text and not _SIGNATURE.match(self.code):  # whose text repeats the request, its token included
            message += f": {self.text}"
        message += f" (HTTP {self.status}, request {self.request_id})"
        code = self.code.removesuffix("Exception")
        action = f"kms:{asked.operation}"
        if _TRANSIENT.match(self.code) or (self.status in _TRANSIENT_STATUS and code not in _PERMANENT):
            return BackendUnavailableError(message, retry_after=self.retry_after)
        if code in ("AccessDenied", "NotAuthorized"):
            statement = json.dumps({"Effect": "Allow", "Action": action, "Resource": resource(asked.key_id)})
            return AccessDeniedError(message, remedy=f"allow it in the IAM policy or in the key's: {statement}")
        if _CLOCK.match(self.code):
            return AccessDeniedError(message, remedy="set this machine's clock")
        if _SIGNATURE.match(self.code):
            return AccessDeniedError(
                message, remedy="check the secret access key, the region, and this machine's clock"
            )
        if _CREDENTIALS.match(self.code):
            return AccessDeniedError(message, remedy="renew the credentials, or check where they come from")
        kind, remedy = _PERMANENT.get(code, (SignError, None))
        region = region_of(asked.key_id)
        if region not in (None, asked.region):
            remedy = f"the key is in {region}: set region to that"
        return kind(message, remedy=remedy)


_NOT_RIGHT = "correct key_id: a key id, key ARN, alias name (alias/…) or alias ARN"
_PERMANENT: dict[str, tuple[type[SignerError], str | None]] = {
    "NotFound": (KeyNotFoundError, "check key_id, region and account; `signer init` makes the key of an alias"),
    "DryRunOperation": (DryRunSucceededError, None),
    "AlreadyExists": (KeyExistsError, "use another name"),
    "Disabled": (KeyUnavailableError, "enable it: aws kms enable-key"),
    "KMSInvalidState": (
        KeyUnavailableError,
        "look at its state: aws kms describe-key; aws kms cancel-key-deletion takes back a deletion",
    ),
    "InvalidKeyUsage": (KeyUnavailableError, "use a key with KeyUsage SIGN_VERIFY and KeySpec ECC_NIST_EDWARDS25519"),
    "UnsupportedOperation": (
        KeyUnavailableError,
        "use a key with KeyUsage SIGN_VERIFY and KeySpec ECC_NIST_EDWARDS25519",
    ),
    "InvalidArn": (ConfigError, _NOT_RIGHT),
    "InvalidAliasName": (ConfigError, _NOT_RIGHT),
    "InvalidGrantToken": (ConfigError, "correct grant_tokens"),
    "Validation": (ConfigError, "check key_id and the other options"),
    "Tag": (ConfigError, "correct the option tags"),
    "UnknownOperation": (ConfigError, "check endpoint_url: what answers there is not KMS"),
    "LimitExceeded": (SignError, "ask AWS for a larger quota, or delete what is not needed"),
}


def of_answer(answer: Answer, asked: Asked) -> SignerError:
    """The error for an answer without what was asked for."""
    refusal = Refusal.read(answer)
    if refusal is not None and answer.status != 200:
        return refusal.error(asked)
    if answer.status == 407:
        return of_connection(ProxyRefusedError(answer.status), asked)
    return incomplete(f"what answered HTTP {answer.status} was not KMS's JSON", answer, asked)


def incomplete(what: str, answer: Answer, asked: Asked) -> BackendUnavailableError:
    """The error for an answer that is not to be used."""
    return BackendUnavailableError(
        f"{asked} failed: {what} (request {request_id(answer)})", retry_after=retry_after(answer)
    )


def of_connection(error: Exception, asked: Asked) -> SignerError:
    """The error for what went wrong on the way to KMS or back."""
    if isinstance(error, TimeoutError):
        return DeadlineExceededError(f"{asked} had no answer in time", remedy="check the network, or raise the timeout")
    if isinstance(error, ProxyRefusedError):
        remedy = "check the user and password of the proxy" if error.status == 407 else "check the proxy's rules"
        return BackendUnavailableError(
            f"{asked} failed: {error}", remedy=remedy, retryable=error.status in _TRANSIENT_STATUS
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return BackendUnavailableError(
            f"{asked} failed: the server's certificate is not trusted: {error.verify_message}",
            remedy="set AWS_CA_BUNDLE to the right authorities, or correct endpoint_url; it is never left unchecked",
            retryable=False,
        )
    if isinstance(error, socket.gaierror):
        passing = error.errno in (socket.EAI_AGAIN, socket.EAI_SYSTEM, socket.EAI_MEMORY)
        return BackendUnavailableError(
            f"{asked} failed: the name of its endpoint cannot be resolved: {error.strerror}",
            remedy=None if passing else "check region and endpoint_url",
            retryable=passing,
        )
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        return BackendUnavailableError(f"{asked} failed: the connection broke: {why}")
    if isinstance(error, GarbledError):
        return BackendUnavailableError(f"{asked} failed: {error}")
    raise error


def resource(key_id: str) -> str:
    """What an IAM statement names: a key, never an alias."""
    return key_id if is_key_arn(key_id) else "the key's ARN"


def parsed_json(answer: Answer) -> dict[str, Any] | None:
    """The JSON object that is the answer's body, or None."""
    try:
        parsed = json.loads(answer.body)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def request_id(answer: Answer) -> str:
    """AWS's id of the request, which its support asks for."""
    return _plain(answer.headers.get("x-amzn-requestid", "")) or "without id"


def retry_after(answer: Answer) -> float | None:
    """The seconds that the server asks to wait."""
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(float(text), _LONGEST_RETRY_AFTER)
    then, now = _date(text), server_date(answer)
    return None if then is None or now is None else min(max(0.0, then - now), _LONGEST_RETRY_AFTER)


def server_date(answer: Answer) -> float | None:
    """The server's clock, in seconds since the epoch."""
    return _date(answer.headers.get("date", ""))


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _plain(text: str) -> str:
    """``text`` as one printable line of bearable length."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"
