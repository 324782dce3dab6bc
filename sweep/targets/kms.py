"""What answers where KMS should be: HTTP and JSON, through the real connections, to a socket of this machine."""

import base64
import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from signer_aws_kms.answer import Answer, GarbledError, read_answer
from signer_core import Signer, create_signer, init_signer
from sweep.target import MARKER, Check, Target, expect, refusing, simply
from tests.keys import SEED, Ed25519Key

_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_MESSAGE = b"message"
_KEY = Ed25519Key(SEED)
_PUBLIC = {
    "KeyId": _ARN,
    "KeySpec": "ECC_NIST_EDWARDS25519",
    "KeyUsage": "SIGN_VERIFY",
    "PublicKey": base64.b64encode(_KEY.public_key.to_der()).decode(),
    "SigningAlgorithms": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
}
_SIGNED = {
    "KeyId": _ARN,
    "Signature": base64.b64encode(_KEY.private_key.sign(_MESSAGE)).decode(),
    "SigningAlgorithm": "ED25519_SHA_512",
}
_METADATA = {
    "KeyMetadata": {"Arn": _ARN, "KeyId": _ARN.rpartition("/")[2], "KeyState": "Enabled", "KeyUsage": "SIGN_VERIFY"},
    **_PUBLIC,
}
_REFUSED = {"__type": "com.amazonaws.kms#DisabledException", "message": f"{_ARN} is disabled."}
_DENIED = {"__type": "AccessDeniedException", "Message": "User: arn:aws:iam::1:user/x is not authorized to perform: y"}
_CLOCK = {"__type": "InvalidSignatureException", "message": "Signature expired: 20200101T000000Z is now earlier than"}


def _http(body: object, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [b"HTTP/1.1 " + status, b"x-amzn-RequestId: 1", *headers]
    if not any(each.lower().startswith((b"transfer", b"content-length")) for each in headers):
        lines.append(b"Content-Length: %d" % len(content))
    return b"\r\n".join([*lines, b"", content])


def _answers(right: dict[str, Any]) -> Callable[[], Iterator[bytes]]:
    def answers() -> Iterator[bytes]:
        content = json.dumps(right).encode()
        date = b"Date: Wed, 01 Jan 2020 00:00:00 GMT"
        yield _http(right)
        yield _http(right, b"200 OK", b"Connection: close", b"Content-Type: application/x-amz-json-1.1")
        chunked = b"%x\r\n%s\r\n5;a=b\r\n     \r\n0\r\nTrailer: x\r\n\r\n" % (len(content), content)
        yield _http(chunked, b"200 OK", b"Transfer-Encoding: chunked")
        yield b"HTTP/1.1 100 Continue\r\n\r\n" + _http(right)
        yield b"HTTP/1.0 200 OK\r\n\r\n" + content
        yield _http(b"", b"204 No Content")
        yield _http(_REFUSED, b"400 Bad Request")
        yield _http(_DENIED, b"400 Bad Request", b"x-amzn-ErrorType: AccessDeniedException:http://x")
        yield _http(_CLOCK, b"400 Bad Request", date)
        yield _http({"__type": "ThrottlingException"}, b"429 Too Many", b"Retry-After: 1.5", date)
        yield _http(b"<html>", b"503 Service Unavailable", b"Retry-After: Wed, 01 Jan 2020 00:00:05 GMT", date)

    return answers


def _check_answer(data: bytes) -> None:
    """An answer is the same however it was cut into pieces, or it is garbled."""
    whole, single = _read(data, len(data) or 1), _read(data, 1)
    # Only whether the connection may go on, and what is wrong, can depend on what has come so far.
    if isinstance(whole, Answer) and isinstance(single, Answer):
        same = (whole.status, whole.headers, whole.body) == (single.status, single.headers, single.body)
    else:
        same = type(whole) is type(single)
    expect(same, "an answer depends on how it was cut")


def _read(data: bytes, size: int) -> Answer | GarbledError:
    pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
    try:
        return read_answer(lambda: next(pieces, b""))
    except GarbledError as error:
        return error


class _Endpoint:
    """Answers each request on each connection with :attr:`answer`, whatever was asked, and ends the connection."""

    def __init__(self) -> None:
        self.answer = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                connection, _ = self._listening.accept()
                with contextlib.suppress(OSError), connection:
                    connection.settimeout(5)
                    self._take(connection)
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

    @staticmethod
    def _take(connection: socket.socket) -> None:
        """The whole request, so that the answer is not lost in a reset."""
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        head, _, body = request.partition(b"\r\n\r\n")
        left = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]) - len(body)
        while left > 0:
            left -= len(connection.recv(65536))

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextlib.contextmanager
def _endpoint() -> Iterator[tuple[_Endpoint, dict[str, object]]]:
    """An endpoint, and the options of a signer that asks it, with the planted secret as its credentials."""
    logging.disable()
    credentials = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": MARKER.decode(),
        "AWS_SESSION_TOKEN": MARKER.decode(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
    }
    with mock.patch.dict(os.environ, credentials):
        endpoint = _Endpoint()
        options: dict[str, object] = {
            "backend": "awskms",
            "key_id": _ARN,
            "region": "us-east-1",
            "endpoint_url": endpoint.url,
            "max_retries": 0,
            "timeout": "60s",
            "attempt_timeout": "60s",
        }
        try:
            yield endpoint, options
        finally:
            endpoint.close()


def _given(data: bytes) -> bytes:
    """As it is, or, where it cannot be the beginning of an answer, as the body of a right one."""
    return data if data.startswith(b"HTTP") else _http(data)


@contextlib.contextmanager
def _opening() -> Iterator[Check]:
    """Opening gives the key that was asked for, or an error."""
    with _endpoint() as (endpoint, options):

        def check(data: bytes) -> None:
            endpoint.answer = _given(data)
            with refusing(), create_signer(options) as signer:
                expect(signer.key_id == _ARN, "another key was opened")

        yield check


@contextlib.contextmanager
def _making() -> Iterator[Check]:
    """Making the key of an alias ends with one or with an error, where all questions have the same answer."""
    with _endpoint() as (endpoint, options):

        def check(data: bytes) -> None:
            endpoint.answer = _given(data)
            with refusing(), init_signer({**options, "key_id": "alias/sequencer"}) as signer:
                expect(signer.key_id == _ARN, "another key was made")

        yield check


@contextlib.contextmanager
def _signing() -> Iterator[Check]:
    """A signature that is returned verifies."""
    with _endpoint() as (endpoint, options):
        endpoint.answer = _http(_PUBLIC)
        signer: Signer = create_signer(options)

        def check(data: bytes) -> None:
            endpoint.answer = _given(data)
            with refusing():
                signer.public_key.verify(signer.sign(_MESSAGE), _MESSAGE)

        with signer:
            yield check


def _bodies(right: dict[str, Any]) -> Callable[[], Iterator[bytes]]:
    def bodies() -> Iterator[bytes]:
        yield json.dumps(right).encode()
        yield from _answers(right)()

    return bodies


def _metadata() -> Iterator[bytes]:
    """Answers to all of the questions at once, and that there is no key, which leads to the others."""
    yield json.dumps(_METADATA).encode()
    yield _http({"__type": "NotFoundException", "message": "Alias is not found."}, b"400 Bad Request")
    yield from _answers(_METADATA)()


TARGETS = {
    "kms-answer": Target(_answers(_SIGNED), simply(_check_answer)),
    "kms-make": Target(_metadata, _making),
    "kms-open": Target(_bodies(_PUBLIC), _opening),
    "kms-sign": Target(_bodies(_SIGNED), _signing),
}
