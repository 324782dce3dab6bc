"""The bodies of requests to Sign: made when a key is opened, all but what is to be signed."""

import base64
import json
from collections.abc import Callable
from typing import Any

from signer_aws_kms.signing_algorithms import MAX_MESSAGE_BYTES, SERVED
from signer_core.public_key import PublicKey

#: From what is to be signed to the body of the request.
Body = Callable[[bytes], bytes]


class SignRequests:
    """What Sign is asked for by one key; ``more`` are further parameters of all its requests."""

    __slots__ = ("of_digest", "of_message")

    def __init__(self, key_id: str, public_key: PublicKey, **more: Any) -> None:
        served = SERVED[public_key.algorithm]

        def body(message_type: str) -> Body:
            return _body_of(KeyId=key_id, SigningAlgorithm=served.name, MessageType=message_type, **more)

        #: For a digest as :meth:`PublicKey.hasher` gives it; None where the algorithm signs none.
        self.of_digest: Body | None = None
        #: For a message: of any size, if the algorithm signs digests.
        self.of_message: Body
        if served.prehashed is None:
            self.of_message = body("RAW")
            return
        self.of_digest = body(served.prehashed)
        hashing = _hashing(public_key, self.of_digest)
        self.of_message = _by_size(body("RAW"), hashing) if served.raw else hashing


def _body_of(**parameters: Any) -> Body:
    """A request with these parameters and what is to be signed."""
    head = json.dumps(parameters)[:-1].encode() + b', "Message": "'

    def body(content: bytes) -> bytes:
        return head + base64.b64encode(content) + b'"}'

    return body


def _hashing(public_key: PublicKey, of_digest: Body) -> Body:
    def body(message: bytes) -> bytes:
        hasher = public_key.hasher()
        hasher.update(message)
        return of_digest(hasher.digest())

    return body


def _by_size(raw: Body, hashing: Body) -> Body:
    def body(message: bytes) -> bytes:
        return raw(message) if len(message) <= MAX_MESSAGE_BYTES else hashing(message)

    return body
