"""What KMS answers: a status, headers and JSON, or an error; and how it is put on the wire."""

import enum
import json
import threading
from collections.abc import Mapping
from typing import Any

import attrs

JSON_1_1 = "application/x-amz-json-1.1"

#: KMS answers errors of the client with 400, whatever status its reference gives for them; these are its own.
_SERVER_ERRORS = {
    "DependencyTimeoutException": 503,
    "InternalFailure": 500,
    "KMSInternalException": 500,
    "KeyUnavailableException": 500,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
}


class Delivery(enum.Enum):
    """How an answer reaches the client, if it does."""

    WHOLE = "whole"
    #: Half of it, then the end of the connection.
    HALF = "half"
    #: One byte per interval.
    DRIP = "drip"
    #: Not before the fault's event is set, or the server stops.
    HANG = "hang"
    #: The connection is closed instead.
    CLOSE = "close"
    #: The connection is reset instead.
    RESET = "reset"


@attrs.frozen(kw_only=True)
class Answer:
    """One HTTP response."""

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    delivery: Delivery = Delivery.WHOLE
    #: Seconds between two bytes that drip.
    interval: float = 1.0
    #: What an answer that hangs waits for.
    until: threading.Event | None = None

    @classmethod
    def of(cls, content: Mapping[str, Any] | None) -> "Answer":
        """A success with this JSON; KMS's operations without an output have an empty body."""
        return cls(headers={"Content-Type": JSON_1_1}, body=b"" if content is None else json.dumps(content).encode())

    def content(self) -> dict[str, Any]:
        """The JSON in the body."""
        content: dict[str, Any] = json.loads(self.body)
        return content


class AwsError(Exception):
    """An error that KMS answers: its code as in ``__type``, its message, and the HTTP status."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status if status is not None else _SERVER_ERRORS.get(code, 400)

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        """The error on the wire."""
        # The gateway before the service, which knows who may do what, spells it with a capital letter.
        member = "Message" if self.code == "AccessDeniedException" else "message"
        body = json.dumps({"__type": self.code, member: self.message}).encode()
        return Answer(status=self.status, headers={"Content-Type": JSON_1_1, **(headers or {})}, body=body)


def invalid(member: str, constraint: str, *, value: str | None = None) -> AwsError:
    """The validation error of AWS's own wording; ``value`` is left out where it is sensitive."""
    quoted = "Value" if value is None else f"Value '{value}'"
    return AwsError(
        "ValidationException",
        f"1 validation error detected: {quoted} at '{member}' failed to satisfy constraint: Member must {constraint}",
    )
