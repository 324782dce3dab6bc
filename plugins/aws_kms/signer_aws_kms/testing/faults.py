"""Ways to fail, for :meth:`FakeKms.inject <signer_aws_kms.testing.FakeKms.inject>`.

A fault is a function from a request to the answer that the client gets instead of the right one; write your own where
these do not do: ``request.proceed()`` is the right answer. ``retry_after`` is the header of that name: seconds, or a
text such as an HTTP date.
"""

import base64
import threading
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from signer_aws_kms.testing.answers import JSON_1_1, Answer, AwsError, Delivery
from signer_aws_kms.testing.keys import FakeKey


@attrs.frozen(kw_only=True)
class Request:
    """What a fault is asked to answer."""

    operation: str
    parameters: Mapping[str, Any]
    #: The key that the request names, if there is one.
    key: FakeKey | None
    #: Does what the request asks for, and returns the right answer.
    proceed: Callable[[], Answer]


Fault = Callable[[Request], Answer]


def throttle(*, retry_after: float | str | None = None) -> Fault:
    """ThrottlingException, as beyond a quota."""
    return error(
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        retry_after=retry_after,
    )


def error(
    code: str, message: str = "injected", *, status: int | None = None, retry_after: float | str | None = None
) -> Fault:
    """Any error of AWS's, by its code; ``status`` is the one that goes with the code, if None."""
    return lambda _: AwsError(code, message, status=status).answer(_retry_after(retry_after))


def http_error(status: int = 503, *, retry_after: float | str | None = None) -> Fault:
    """An HTTP error with a page of HTML, as a load balancer or a proxy writes it."""
    body = f"<html><body><h1>{status} Sorry</h1></body></html>".encode()
    headers = {"Content-Type": "text/html", **_retry_after(retry_after)}
    return lambda _: Answer(status=status, headers=headers, body=body)


def reset() -> Fault:
    """The connection is reset, and the request is not carried out."""
    return lambda _: Answer(delivery=Delivery.RESET)


def close() -> Fault:
    """The connection is closed without an answer, and the request is not carried out."""
    return lambda _: Answer(delivery=Delivery.CLOSE)


def lose() -> Fault:
    """The request is carried out, and the connection closed before the client learns of it."""
    return lambda request: attrs.evolve(request.proceed(), delivery=Delivery.CLOSE)


def cut() -> Fault:
    """The connection is closed in the middle of the answer."""
    return lambda request: attrs.evolve(request.proceed(), delivery=Delivery.HALF)


def hang(until: threading.Event | None = None) -> Fault:
    """No answer before the event is set, or the server stops."""
    return lambda request: attrs.evolve(request.proceed(), delivery=Delivery.HANG, until=until)


def drip(interval: float = 1.0) -> Fault:
    """The right answer, one byte per ``interval`` seconds."""
    return lambda request: attrs.evolve(request.proceed(), delivery=Delivery.DRIP, interval=interval)


def garbage(body: bytes = b"<html>not what you think</html>", *, status: int = 200) -> Fault:
    """A body that is no JSON, or whatever else is given."""
    return lambda _: Answer(status=status, headers={"Content-Type": JSON_1_1}, body=body)


def without(*members: str) -> Fault:
    """The right answer without these members."""
    return _changed(lambda content, _: {key: value for key, value in content.items() if key not in members})


def with_members(**members: Any) -> Fault:
    """The right answer with these members."""
    return _changed(lambda content, _: {**content, **members})


def other_key_id(arn: str | None = None) -> Fault:
    """The right answer, said to come from another key; by default one of the same account that does not exist."""

    def change(content: dict[str, Any], _: Request) -> dict[str, Any]:
        other = content["KeyId"].rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
        return {**content, "KeyId": arn or other}

    return _changed(change)


def other_key_signature() -> Fault:
    """A signature over the right message, with the right name, made with another key of the same kind."""

    def change(content: dict[str, Any], request: Request) -> dict[str, Any]:
        if request.key is None:
            raise ValueError("the answer to a request that names no key has no signature")
        other = attrs.evolve(request.key, private_key=request.key.facts.generate())
        message = base64.b64decode(request.parameters["Message"])
        message_type = request.parameters.get("MessageType", "RAW")
        signature = other.sign(message, content["SigningAlgorithm"], message_type)
        return {**content, "Signature": base64.b64encode(signature).decode()}

    return _changed(change)


def flip_bit(number: int = 0) -> Fault:
    """The right signature with one bit changed."""

    def change(signature: bytes) -> bytes:
        wrong = bytearray(signature)
        wrong[number // 8] ^= 1 << number % 8
        return bytes(wrong)

    return _changed_signature(change)


def shorten(size: int = -1) -> Fault:
    """The first ``size`` bytes of the right signature; by default all but the last one."""
    return _changed_signature(lambda signature: signature[:size])


def _retry_after(when: float | str | None) -> dict[str, str]:
    """The header: seconds, or a text such as an HTTP date."""
    return {} if when is None else {"Retry-After": when if isinstance(when, str) else f"{when:g}"}


def _changed(change: Callable[[dict[str, Any], Request], dict[str, Any]]) -> Fault:
    def fault(request: Request) -> Answer:
        answer = request.proceed()
        return answer if answer.status != 200 else Answer.of(change(answer.content(), request))

    return fault


def _changed_signature(change: Callable[[bytes], bytes]) -> Fault:
    def changed(content: dict[str, Any], _: Request) -> dict[str, Any]:
        signature = change(base64.b64decode(content["Signature"]))
        return {**content, "Signature": base64.b64encode(signature).decode()}

    return _changed(changed)
