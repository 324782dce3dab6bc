"""AWS Signature Version 4 for requests that have a body and no query, such as all of KMS's.

Source: "AWS Signature Version 4 for API requests" in the AWS IAM User Guide. Held in the tests to AWS's published test
vectors and to botocore's ``SigV4Auth``, which does much more for each request.
"""

import functools
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"


class Keys(Protocol):
    """What a request is signed with; botocore's frozen credentials are."""

    @property
    def access_key(self) -> str:
        """The name of the secret key, which AWS is told."""

    @property
    def secret_key(self) -> str:
        """The secret key, which never leaves."""

    @property
    def token(self) -> str | None:
        """What proves a session; None for long-lived keys."""


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as the header ``x-amz-date`` has them."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


class SigV4:
    """Signs the requests to one service in one region. Safe to use from several threads."""

    def __init__(self, region: str, service: str) -> None:
        self._region = region
        self._service = service
        self._derived: tuple[str, str, bytes] = ("", "", b"")

    def authorization(
        self, keys: Keys, *, method: str, path: str, headers: Mapping[str, str], body: bytes, at: str
    ) -> str:
        """The value of the header ``Authorization``.

        ``path`` is as the request line has it; ``headers`` are those to sign, with names in lower case; ``at`` is the
        :func:`timestamp`, which is among them as ``x-amz-date``.
        """
        date = at[:8]
        scope = f"{date}/{self._region}/{self._service}/aws4_request"
        request, names = canonical_request(method, path, headers, body)
        to_sign = f"{_ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(request).hexdigest()}"
        signature = hmac.digest(self._key(keys.secret_key, date), to_sign.encode(), "sha256").hex()
        return f"{_ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"

    def _key(self, secret_key: str, date: str) -> bytes:
        """The signing key of one day, remembered for the last secret key."""
        last_secret_key, last_date, key = self._derived
        if secret_key != last_secret_key or date != last_date:
            key = f"AWS4{secret_key}".encode()
            for part in (date, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._derived = (secret_key, date, key)
        return key


def canonical_request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[bytes, str]:
    """The canonical request, and the names of the signed headers as they stand in it."""
    ordered = sorted(headers)
    canonical = [f"{name}:{' '.join(headers[name].split())}" for name in ordered]
    names = ";".join(ordered)
    lines = [method, _quoted(path), "", *canonical, "", names, hashlib.sha256(body).hexdigest()]
    return "\n".join(lines).encode(), names


@functools.lru_cache(maxsize=16)  # the same for each request to an endpoint
def _quoted(path: str) -> str:
    return quote(path, safe="/~")
