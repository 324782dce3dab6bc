"""The way of a request to KMS and of its answer back: HTTP, TLS, proxies, clocks."""

import json
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from signer_aws_kms.answer import Answer, GarbledError, read_answer
from signer_aws_kms.testing import FakeKms
from signer_core import create_signer
from signer_core.errors import BackendUnavailableError
from tests.plugins.aws_kms.peers import answering, http, peer
from tests.plugins.aws_kms.signers import ALIAS, opened, options


def read(*chunks: bytes) -> Answer:
    stream: Iterator[bytes] = iter(chunks)
    return read_answer(lambda: next(stream, b""))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE: dict[str, tuple[bytes, bytes, bool]] = {
    "length": (http(b"body"), b"body", True),
    "empty": (http(b""), b"", True),
    "chunks": (
        CHUNKED + b"2;x=y\r\nbo\r\n2\r\ndy\r\n0\r\nT: r\r\n\r\n",
        b"body",
        True,
    ),
    "chunks and a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        b"body",
        False,
    ),
    "the same length twice": (http(b"body", headers="content-length: 4\r\n"), b"body", True),
    "to the end": (b"HTTP/1.1 200 OK\r\n\r\nbody", b"body", False),
    "closing": (http(b"body", headers="Connection: close\r\n"), b"body", False),
    "closing, as one of several options": (
        http(b"body", headers="Connection: keep-alive , Close\r\n"),
        b"body",
        False,
    ),
    "closing, as one of several options without spaces": (
        http(b"body", headers="Connection: keep-alive,close\r\n"),
        b"body",
        False,
    ),
    "not closing": (http(b"body", headers="Connection: closed, not-close\r\n"), b"body", True),
    "HTTP/1.0": (http(b"body").replace(b"1.1", b"1.0"), b"body", False),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\n\r\n", b"", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nbody", b"body", True),
    "after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"body"), b"body", True),
    "to the end, of the most bytes": (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(65536), bytes(65536), False),
    "in chunks, of the most bytes": (
        CHUNKED + b"10000\r\n" + bytes(65536) + b"\r\n0\r\n\r\n",
        bytes(65536),
        True,
    ),
    "with more": (http(b"body") + b"more", b"body", False),
}


@pytest.mark.parametrize(("data", "body", "reusable"), WHOLE.values(), ids=WHOLE)
def test_an_answer_is_read_whole_however_it_is_cut(data: bytes, body: bytes, reusable: bool) -> None:
    answer = read(data)
    assert (answer.body, answer.reusable) == (body, reusable)
    bytewise = read(*(data[index : index + 1] for index in range(len(data))))
    assert bytewise.body == body


GARBLED = {
    "nothing": (b"", "no answer came"),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP/1.1"),
    "HTTP/2": (b"HTTP/2 200\r\n\r\n", "not HTTP/1.1"),
    "no status": (b"HTTP/1.1 \r\n\r\n", "not HTTP/1.1"),
    "more digits": (b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "not HTTP/1.1"),
    "wide digits": ("HTTP/1.1 ２００ OK\r\n\r\n".encode(), "not HTTP/1.1"),
    "no colon": (b"HTTP/1.1 200 OK\r\nheader\r\n\r\n", "a header of the answer has no colon"),
    "cut head": (b"HTTP/1.1 200 OK\r\nContent-Le", "ended in the middle of the answer"),
    "cut body": (http(b"body")[:-1], "ended in the middle of the answer"),
    "negative": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "a length in the answer is not a number"),
    "no number": (b"HTTP/1.1 200 OK\r\nContent-Length: 4x\r\n\r\nbody", "a length in the answer is not a number"),
    "two lengths": (http(b"body", headers="content-length: 3\r\n"), "the answer has two lengths"),
    "too large": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "larger than 65536 bytes"),
    "endless": (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(2_000_000), "larger than 65536 bytes"),
    "endless crumbs": (CHUNKED + 9_000 * b"8\r\n8 bytes \r\n" + b"0\r\n\r\n", "larger than 65536 bytes"),
    "endless head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "the head of the answer has no end"),
    "gzip": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer encoding other than chunked"),
    "chunk of no hexadecimal length": (CHUNKED + b"g\r\n" + bytes(16) + b"\r\n0\r\n\r\n", "is not a number"),
    "wrong chunk": (CHUNKED + b"2\r\nbodyyy", "a chunk of the answer does not end where it should"),
    "cut chunk": (CHUNKED + b"4\r\nbo", "ended in the middle of the answer"),
}


@pytest.mark.parametrize(("data", "problem"), GARBLED.values(), ids=GARBLED)
def test_what_is_no_whole_answer_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(GarbledError, match=problem):
        read(data)


@pytest.mark.parametrize("head", [b"Content-Length: 65537\r\n", b""])
def test_an_answer_that_is_too_large_is_told(head: bytes) -> None:
    with pytest.raises(GarbledError, match=r"^the answer is larger than 65536 bytes$"):
        read(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + bytes(65537))


def test_the_longest_head_is_read() -> None:
    head = b"HTTP/1.1 204 No Content\r\nX: ".ljust(65536, b"x")
    assert len(read(head, b"\r\n\r\n").headers["x"]) == 65536 - 28
    with pytest.raises(GarbledError, match="the head of the answer has no end"):
        read(head + b"x", b"\r\n\r\n")


def test_an_answer_to_connect_has_no_body_and_leaves_a_connection_in_use() -> None:
    answer = read_answer(iter([b"HTTP/1.1 200 Connection established\r\n\r\n"]).__next__, to_connect=True)
    assert (answer.status, answer.body, answer.reusable) == (200, b"", True)


def test_what_comes_after_the_most_bytes_is_too_large_however_it_is_cut() -> None:
    with pytest.raises(GarbledError, match="larger than 65536 bytes"):
        read(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536), b"x")


def test_the_request_is_json_1_1(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.sign(b"message")
    headers = fake_kms.received[-1].headers
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amz-target"] == "TrentService.Sign"
    assert headers["accept-encoding"] == "identity"
    versions = [f"{name}/{version(name)}" for name in ("signer-aws-kms", "botocore")]
    assert headers["user-agent"] == " ".join(versions)


def test_no_json_number_is_taken_for_an_object(fake_kms: FakeKms) -> None:
    with peer(answering(http(json.dumps(7).encode()))) as server, pytest.raises(BackendUnavailableError):
        create_signer(options(endpoint_url=f"http://127.0.0.1:{server.port}", max_retries=0))
