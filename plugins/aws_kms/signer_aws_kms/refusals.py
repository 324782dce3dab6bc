"""Answers that are errors of AWS's, and the library's own errors for them.

AWS's codes are those of the KMS API reference and of its "Common Error Types".
"""

import re

import attrs

from signer_aws_kms.answer import Answer
from signer_aws_kms.asked import Asked
from signer_aws_kms.details import parsed_json, plain, request_id, retry_after, server_date
from signer_aws_kms.key_names import region_of
from signer_aws_kms.permissions import how_to_permit
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    ConfigError,
    KeyExistsError,
    KeyNotFoundError,
    KeyUnavailableError,
    SignerError,
    SignError,
)

#: HTTP's codes of errors that pass, whoever answers with them.
TRANSIENT_STATUS = frozenset({429, 500, 502, 503, 504})
_THROTTLED = re.compile(
    r".*Thrott.*|TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded|SlowDown"  # codes without "Exception"
)
_STALE = re.compile(r"ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|InvalidToken")
_CLOCK = re.compile(r"RequestTimeTooSkewed|RequestExpired|RequestInTheFuture")
_SIGNATURE = re.compile(r"InvalidSignature|SignatureDoesNotMatch|IncompleteSignature")


class DryRunSucceededError(SignError):
    """The call would have succeeded, had it not been a dry run."""


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
        if answer.status == 200 or parsed is None or not isinstance(code, str):
            return None
        text = parsed.get("message") or parsed.get("Message") or ""
        return cls(
            # "com.amazonaws.kms#NotFoundException" and "NotFoundException:http://…" are forms of it
            code=plain(code.rpartition("#")[2].partition(":")[0]),
            text=plain(text if isinstance(text, str) else ""),
            status=answer.status,
            request_id=request_id(answer),
            retry_after=retry_after(answer),
            date=server_date(answer),
        )

    @property
    def blames_the_clock(self) -> bool:
        """A wrong clock may be the reason."""
        return bool(_CLOCK.fullmatch(self._name) or _SIGNATURE.fullmatch(self._name))

    @property
    def blames_the_token(self) -> bool:
        """The credentials are out of date, or were taken back."""
        return bool(_STALE.fullmatch(self._name))

    @property
    def leaves_doubt(self) -> bool:
        """Perhaps what was asked for was done all the same."""
        kind, _ = self._meaning
        return kind is BackendUnavailableError and self.status != 429 and not _THROTTLED.fullmatch(self._name)

    def error(self, asked: Asked) -> SignerError:
        """The library's own error."""
        kind, remedy = self._meaning
        message = f"{asked} failed: {self.code}"
        if self.text and not _SIGNATURE.fullmatch(self._name):  # whose text repeats the request, its token included
            message += f": {self.text}"
        message += f" (HTTP {self.status}, request {self.request_id})"
        if kind is BackendUnavailableError:
            return BackendUnavailableError(message, retry_after=self.retry_after)
        if kind is AccessDeniedError:
            return AccessDeniedError(message, remedy=remedy or how_to_permit(asked, self.text))
        if (region := region_of(asked.key_id)) not in (None, asked.region):
            remedy = f"the key is in {region}: set region to that"
        return kind(message, remedy=remedy)

    @property
    def _name(self) -> str:
        """The code without the ending that some of AWS's codes have, and some only at times."""
        return self.code.removesuffix("Exception")

    @property
    def _meaning(self) -> tuple[type[SignerError], str | None]:
        """The kind of error, and what to do about it."""
        for names, kind, remedy in _MEANINGS:
            if names.fullmatch(self._name):
                return kind, remedy
        return (BackendUnavailableError if self.status in TRANSIENT_STATUS else SignError), None


_NOT_RIGHT = "correct key_id: a key id, key ARN, alias name (alias/…) or alias ARN"
#: Codes without "Exception".
_MEANINGS: tuple[tuple[re.Pattern[str], type[SignerError], str | None], ...] = (
    (_THROTTLED, BackendUnavailableError, None),
    (
        re.compile(
            r"KMSInternal|KeyUnavailable|DependencyTimeout|Internal(Failure|Error|ServerError|ServiceError)?"
            r"|ServiceUnavailable|RequestTimeout|RequestAborted|PriorRequestNotComplete|TransactionInProgress"
        ),
        BackendUnavailableError,
        None,
    ),
    (re.compile(r"AccessDenied|NotAuthorized"), AccessDeniedError, None),
    (_CLOCK, AccessDeniedError, "set this machine's clock"),
    (_SIGNATURE, AccessDeniedError, "check the secret access key, the region, and this machine's clock"),
    (
        re.compile(
            r"UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidToken|MissingAuthenticationToken|AuthFailure"
            r"|InvalidAccessKeyId|OptInRequired"
        ),
        AccessDeniedError,
        "renew the credentials, or check where they come from",
    ),
    (
        re.compile(r"NotFound"),
        KeyNotFoundError,
        "check key_id, region and account; `signer init` makes the key of an alias",
    ),
    (re.compile(r"DryRunOperation"), DryRunSucceededError, None),
    (re.compile(r"AlreadyExists"), KeyExistsError, "use another name"),
    (re.compile(r"Disabled"), KeyUnavailableError, "enable it: aws kms enable-key"),
    (
        re.compile(r"(KMS)?InvalidState"),
        KeyUnavailableError,
        "look at its state: aws kms describe-key; aws kms cancel-key-deletion takes back a deletion",
    ),
    (
        re.compile(r"InvalidKeyUsage|UnsupportedOperation"),
        KeyUnavailableError,
        "use a key with KeyUsage SIGN_VERIFY, and an algorithm that it serves",
    ),
    (re.compile(r"InvalidArn|InvalidAliasName"), ConfigError, _NOT_RIGHT),
    (re.compile(r"InvalidGrantToken"), ConfigError, "correct grant_tokens"),
    (re.compile(r"Validation(Error)?"), ConfigError, "check key_id and the other options"),
    (re.compile(r"Tag"), ConfigError, "correct the option tags"),
    (re.compile(r"UnknownOperation"), ConfigError, "check endpoint_url: what answers there is not KMS"),
    (re.compile(r"LimitExceeded"), SignError, "ask AWS for a larger quota, or delete what is not needed"),
)
