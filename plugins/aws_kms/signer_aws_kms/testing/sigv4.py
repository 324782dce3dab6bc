"""Checking AWS Signature Version 4, as AWS does: "Create a signed AWS API request" in the IAM User Guide."""

import calendar
import functools
import hashlib
import hmac
import re
import time
from collections.abc import Mapping

from signer_aws_kms.testing.answers import AwsError
from signer_aws_kms.testing.identities import Identity

ALGORITHM = "AWS4-HMAC-SHA256"
#: How far a request's time may be from the server's, in seconds.
TOLERANCE = 300.0

_DIFFERS = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_TIME = "%Y%m%dT%H%M%SZ"


def authenticate(
    identities: Mapping[str, Identity],
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    region: str,
    now: float,
) -> Identity:
    """Whose request it is, or the error that AWS answers.

    The names of ``headers`` are in lower case; ``path`` has no query, which KMS's protocol does not use.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    parts = dict(re.findall(r"(Credential|SignedHeaders|Signature)=([^,\s]+)", authorization))
    for part in ("Credential", "SignedHeaders", "Signature"):
        if part not in parts or not authorization.startswith(ALGORITHM):
            raise AwsError("IncompleteSignatureException", f"Authorization header requires '{part}' parameter.")
    sent = headers.get("x-amz-date", "")
    access_key_id, *scope = parts["Credential"].split("/")
    _check_scope(scope, region, sent)
    identity = identities.get(access_key_id)
    if identity is None or headers.get("x-amz-security-token") != identity.session_token:
        raise AwsError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if identity.expires_at is not None and now >= identity.expires_at:
        raise AwsError("ExpiredTokenException", "The security token included in the request is expired")
    _check_time(sent, now)
    names = parts["SignedHeaders"].split(";")
    required = {"host", "x-amz-date"} | {name for name in headers if name.startswith("x-amz-")}
    if not required <= set(names):
        raise AwsError("InvalidSignatureException", f"'{min(required - set(names))}' must be a 'SignedHeader'")
    canonical_request = "\n".join(
        [
            method,
            path,
            "",
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in names),
            "",
            parts["SignedHeaders"],
            hashlib.sha256(body).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    key = _signing_key(identity.secret_access_key, *scope)
    expected = hmac.digest(key, f"{ALGORITHM}\n{sent}\n{'/'.join(scope)}\n{digest}".encode(), "sha256").hex()
    if not hmac.compare_digest(expected, parts["Signature"]):
        raise AwsError("InvalidSignatureException", _DIFFERS)
    return identity


def _check_scope(scope: list[str], region: str, sent: str) -> None:
    if len(scope) != 4:
        raise AwsError("IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements")
    date, scope_region, service, terminator = scope
    if scope_region != region:
        raise AwsError("InvalidSignatureException", "Credential should be scoped to a valid region. ")
    if service != "kms":
        raise AwsError("InvalidSignatureException", "Credential should be scoped to correct service: 'kms'. ")
    if terminator != "aws4_request" or date != sent[:8]:
        raise AwsError("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601")


def _check_time(sent: str, now: float) -> None:
    try:
        moment = calendar.timegm(time.strptime(sent, _TIME))
    except ValueError:
        raise AwsError(
            "IncompleteSignatureException", f"Date must be in ISO-8601 'basic format'. Got '{sent}'."
        ) from None
    if abs(now - moment) <= TOLERANCE:
        return
    here = time.strftime(_TIME, time.gmtime(now))
    if moment < now:
        limit = time.strftime(_TIME, time.gmtime(now - TOLERANCE))
        message = f"Signature expired: {sent} is now earlier than {limit} ({here} - 5 min.)"
        raise AwsError("InvalidSignatureException", message)
    limit = time.strftime(_TIME, time.gmtime(now + TOLERANCE))
    message = f"Signature not yet current: {sent} is still later than {limit} ({here} + 5 min.)"
    raise AwsError("InvalidSignatureException", message)


@functools.lru_cache(maxsize=64)  # AWS's keys last for a day, and so do these
def _signing_key(secret: str, *scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key
