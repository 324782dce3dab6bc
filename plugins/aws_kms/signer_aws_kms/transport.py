"""Calls to KMS: JSON 1.1, signed, over the connections of one account."""

import logging
import time
from collections.abc import Callable
from typing import Any

from signer_aws_kms.answer import Answer
from signer_aws_kms.asked import Asked
from signer_aws_kms.credentials import Credentials
from signer_aws_kms.details import parsed_json
from signer_aws_kms.failures import of_answer, of_connection
from signer_aws_kms.pool import Pool
from signer_aws_kms.refusals import Refusal
from signer_aws_kms.route import Route
from signer_aws_kms.sigv4 import Keys, SigV4, timestamp
from signer_core.deadline import Deadline
from signer_core.errors import SignerError

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
        self._route = route
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
        try:
            answer = self._send(asked, body, deadline)
        except Exception as error:
            if isinstance(error, SignerError) and not isinstance(error, TimeoutError):
                raise
            raise of_connection(error, asked) from error
        if answer.status == 200 and (parsed := parsed_json(answer)) is not None:
            return parsed
        raise of_answer(answer, asked)

    def _send(self, asked: Asked, body: bytes, deadline: Deadline) -> Answer:
        repeatable = asked.in_doubt is None
        keys = self._credentials.current(deadline)
        answer = self._pool.exchange(self._request(asked.operation, body, keys), deadline, repeatable=repeatable)
        if answer.status != 200 and self._set_right(answer, keys, deadline):
            keys = self._credentials.current(deadline)
            answer = self._pool.exchange(self._request(asked.operation, body, keys), deadline, repeatable=repeatable)
        return answer

    def _set_right(self, answer: Answer, keys: Keys, deadline: Deadline) -> bool:
        """Whether the reason of a refusal could be removed: our clock's error, or a token that expired."""
        refusal = Refusal.read(answer)
        if refusal is None:
            return False
        if refusal.blames_the_token:
            return self._credentials.replace(keys, deadline)
        if refusal.blames_the_clock and refusal.date is not None:
            skew = refusal.date - self._clock()
            if abs(skew - self._skew) >= _SKEW:
                _logger.warning("this machine's clock differs from AWS's by %.0f seconds; AWS's is used", skew)
                self._skew = skew
                return True
        return False

    def _request(self, operation: str, body: bytes, keys: Keys) -> bytes:
        at = timestamp(self._clock() + self._skew)
        headers = {
            "content-type": _TYPE,
            "host": self._route.authority,
            "x-amz-date": at,
            "x-amz-target": f"{_TARGET}.{operation}",
        }
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        authorization = self._signature.authorization(
            keys, method="POST", path=self._route.path, headers=headers, body=body, at=at
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {self._route.target} HTTP/1.1\r\n{lines}{self._fixed}"
            f"Content-Length: {len(body)}\r\nAuthorization: {authorization}\r\n\r\n"
        )
        return head.encode("latin-1") + body
