"""Calls to KMS: JSON 1.1, signed, over the connections of one account."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from signer_aws_kms.answer import Answer
from signer_aws_kms.asked import Asked
from signer_aws_kms.credentials import Credentials
from signer_aws_kms.details import parsed_json
from signer_aws_kms.pool import Pool
from signer_aws_kms.route import Route
from signer_aws_kms.sigv4 import Keys, SigV4, timestamp
from signer_core.deadline import Deadline
from signer_core.errors import SignerError, SignError

if TYPE_CHECKING:  # what tells of failures is loaded when there is one
    from signer_aws_kms.refusals import Refusal

_logger = logging.getLogger("signer_aws_kms")

_TARGET = "TrentService"
_TYPE = "application/x-amz-json-1.1"
#: Seconds by which clocks must differ to be the reason of a refusal; AWS allows 300.
_SKEW = 240.0


class Transport:
    """One attempt at a time: whoever calls decides whether there is another."""

    def __init__(
        self,
        *,
        route: Route,
        region: str,
        pool: Pool,
        credentials: Credentials,
        user_agent: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = route.path
        self._target = route.target
        self._authority = route.authority
        self._pool = pool
        self._credentials = credentials
        self._signature = SigV4(region, "kms")
        self._clock = clock
        self._skew = 0.0
        self._fixed = "".join(
            f"{line}\r\n" for line in (f"User-Agent: {user_agent}", "Accept-Encoding: identity", *route.headers)
        )

    def call(self, asked: Asked, body: bytes, deadline: Deadline) -> dict[str, Any]:
        """What KMS answers to ``asked``, sent as the JSON object ``body``.

        A refusal for a wrong clock or an expired token is set right once, and the request sent again. Raises
        :class:`SignerError`.
        """
        keys = self._keys(asked, deadline)
        answer, signed_at = self._send(asked, body, keys, deadline)
        refusal = None if answer.status == 200 else _refusal(answer)
        if refusal is not None:
            renewed = self._keys(asked, deadline, instead_of=keys) if refusal.blames_the_token else keys
            if renewed is not keys or (refusal.blames_the_clock and self._set_clock_right(refusal.date, signed_at)):
                answer, _ = self._send(asked, body, renewed, deadline)
        if answer.status == 200 and (parsed := parsed_json(answer)) is not None:
            return parsed
        from signer_aws_kms.failures import of_answer

        raise of_answer(answer, asked)

    def _keys(self, asked: Asked, deadline: Deadline, *, instead_of: Keys | None = None) -> Keys:
        """Credentials that are good now; ``instead_of`` those that AWS calls expired others, if there are any."""
        try:
            if instead_of is not None and not self._credentials.replace(instead_of, deadline):
                return instead_of
            return self._credentials.current(deadline)
        except (SignError, TimeoutError) as error:
            from signer_aws_kms.failures import without_credentials

            raise without_credentials(error, asked) from error

    def _send(self, asked: Asked, body: bytes, keys: Keys, deadline: Deadline) -> tuple[Answer, float]:
        """The answer, and the time that the request was signed with."""
        signed_at = self._clock() + self._skew
        request = self._request(asked.operation, body, keys, timestamp(signed_at))
        try:
            return self._pool.exchange(request, deadline, repeatable=asked.in_doubt is None), signed_at
        except Exception as error:
            if isinstance(error, SignerError) and not isinstance(error, TimeoutError):
                raise
            from signer_aws_kms.failures import of_connection

            raise of_connection(error, asked) from error

    def _set_clock_right(self, date: float | None, signed_at: float) -> bool:
        """Whether the time that a request was signed with is the reason of its refusal, which has the server's."""
        if date is None or abs(date - signed_at) < _SKEW:
            return False
        skew = date - self._clock()
        if abs(skew - self._skew) >= _SKEW:  # else another call was quicker, or the request was long on its way
            _logger.warning("this machine's clock differs from AWS's by %.0f seconds; AWS's is used", skew)
            self._skew = skew
        return True

    def _request(self, operation: str, body: bytes, keys: Keys, at: str) -> bytes:
        headers = {
            "content-type": _TYPE,
            "host": self._authority,
            "x-amz-date": at,
            "x-amz-target": f"{_TARGET}.{operation}",
        }
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        authorization = self._signature.authorization(
            keys, method="POST", path=self._path, headers=headers, body=body, at=at
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {self._target} HTTP/1.1\r\n{lines}{self._fixed}"
            f"Content-Length: {len(body)}\r\nAuthorization: {authorization}\r\n\r\n"
        )
        return head.encode("latin-1") + body


def _refusal(answer: Answer) -> "Refusal | None":
    from signer_aws_kms.refusals import Refusal

    return Refusal.read(answer)
