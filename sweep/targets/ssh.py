"""What clients send to the SSH agent, and what stands in it."""

import asyncio
import contextlib
import logging
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from signer_core import Algorithm
from signer_ssh import messages
from signer_ssh.agent import Agent
from signer_ssh.authentication import AuthenticationRequest
from signer_ssh.bindings import Bindings
from signer_ssh.connections import Connections
from signer_ssh.errors import MalformedError
from signer_ssh.keys import check_key, encode_key, verify
from signer_ssh.sshsig import SignedData
from signer_ssh.wire import Reader, boolean, string, text
from sweep.target import Check, Target, expect, refusing, simply
from tests.plugins.ssh.keys import (
    SESSION_ID,
    authentication,
    public_key,
    sign_request,
    signature,
    signer,
)

_ALGORITHMS = (Algorithm.ED25519, Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PKCS1V15_SHA512)
_FILE = SignedData("git", "sha512", bytes(64)).encoded()
_SIGN_RESPONSE = 14


def _session_bind() -> bytes:
    with signer(number=2) as host:
        from signer_ssh.keys import encode_signature

        signed = encode_signature(host.algorithm, host.sign(SESSION_ID))
    name = bytes([messages.EXTENSION]) + text(messages.SESSION_BIND)
    return name + string(encode_key(public_key(number=2))) + string(SESSION_ID) + string(signed) + boolean(False)


def _requests() -> Iterator[bytes]:
    yield bytes([messages.REQUEST_IDENTITIES])
    yield _session_bind()
    yield bytes([messages.EXTENSION]) + text("query")
    for algorithm in _ALGORITHMS:
        key, flags = encode_key(public_key(algorithm)), 4 if algorithm.startswith("rsa") else 0
        yield sign_request(key, authentication(algorithm), flags)
        yield sign_request(key, _FILE, flags)
    hostbound = authentication(host_key=encode_key(public_key(number=2)))
    yield sign_request(encode_key(public_key()), hostbound)


class _Unforeseen(logging.Handler):
    """Notes what the agent did not foresee, which it only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def check(self) -> None:
        records, self.records = self.records, []
        for record in records:
            raise AssertionError(record.getMessage()) from (record.exc_info or (None, None))[1]


@contextlib.contextmanager
def _agent() -> Iterator[tuple[Agent, _Unforeseen]]:
    unforeseen, logger = _Unforeseen(), logging.getLogger("signer_ssh")
    with contextlib.ExitStack() as signers:
        logger.addHandler(unforeseen)
        propagate, logger.propagate = logger.propagate, False
        try:
            yield Agent([signers.enter_context(signer(each)) for each in _ALGORITHMS], namespaces=["git"]), unforeseen
        finally:
            logger.propagate = propagate
            logger.removeHandler(unforeseen)


def _check_reply(request: bytes, reply: bytes) -> None:
    """A signature is only made over what a client may have signed, and verifies."""
    if reply[:1] != bytes([_SIGN_RESPONSE]):
        return
    asked, answered = Reader(request), Reader(reply)
    asked.take(1)
    answered.take(1)
    key, data = asked.string(), asked.string()
    try:
        expect(SignedData.decode(data).namespace == "git", "a file of another namespace was signed")
    except MalformedError:
        expect(AuthenticationRequest.decode(data).key == key, "a login with another key was signed")
    verify(key, answered.string(), data)


@contextlib.contextmanager
def _answering() -> Iterator[Check]:
    """Any message is answered; nothing goes wrong that was not foreseen."""
    with _agent() as (agent, unforeseen), asyncio.Runner() as runner:

        def check(data: bytes) -> None:
            _check_reply(data, runner.run(agent.answer(data, Bindings())))
            unforeseen.check()

        yield check


@contextlib.contextmanager
def _serving() -> Iterator[Check]:
    """Each whole frame of a client has an answer, up to one that is too long; the agent goes on."""
    with (
        _agent() as (agent, unforeseen),
        asyncio.Runner() as runner,
        tempfile.TemporaryDirectory() as directory,
        socket.socket(socket.AF_UNIX) as listening,
    ):
        path, stop = Path(directory, "agent"), asyncio.Event()
        listening.bind(str(path))
        listening.listen()
        loop = runner.get_loop()
        task = loop.create_task(Connections(agent, users=[os.geteuid()]).serve(listening, stop))
        asyncio.Runner.run(runner, asyncio.sleep(0))

        async def exchange(data: bytes) -> bytes:
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(data)
                writer.write_eof()
                async with asyncio.timeout(5):
                    return await reader.read()
            except ConnectionError:
                return b""
            finally:
                writer.close()

        def check(data: bytes) -> None:
            requests, ends = _frames(data)
            replies, _ = _frames(runner.run(exchange(data)))
            for request, reply in zip(requests, replies, strict=False):
                _check_reply(request, reply)
            expect(len(replies) <= len(requests) + ends, "there are more answers than requests")
            unforeseen.check()
            expect(not task.done(), "the agent has ended")

        yield check
        stop.set()
        runner.run(asyncio.wait_for(task, 5))


def _frames(stream: bytes) -> tuple[list[bytes], bool]:
    """The whole frames of a stream, and whether one that is too long ends it."""
    frames: list[bytes] = []
    while len(stream) >= 4:
        size = int.from_bytes(stream[:4], "big")
        if size > messages.MAX_BYTES:
            return frames, True
        if len(stream) < 4 + size:
            break
        frames.append(stream[4 : 4 + size])
        stream = stream[4 + size :]
    return frames, False


def _streams() -> Iterator[bytes]:
    requests = list(_requests())
    yield from map(string, requests)
    yield b"".join(map(string, requests))
    yield string(requests[0]) + b"\xff\xff\xff\xff"


def _check_key(data: bytes) -> None:
    """A key is a key, a signature of it or not."""
    with refusing():
        check_key(data)
        verify(data, signature(), b"message")


def _check_purpose(data: bytes) -> None:
    """What is signed means one thing, and is written as it was read."""
    with refusing():
        expect(SignedData.decode(data).encoded() == data, "what is signed for a file is written otherwise")
    with refusing():
        expect(AuthenticationRequest.decode(data).encoded() == data, "a login is written otherwise")


TARGETS = {
    "ssh-request": Target(_requests, _answering),
    "ssh-stream": Target(_streams, _serving),
    "ssh-key": Target(lambda: [encode_key(public_key(each)) for each in _ALGORITHMS], simply(_check_key)),
    "ssh-purpose": Target(
        lambda: [_FILE, authentication(), authentication(host_key=encode_key(public_key(number=2)))],
        simply(_check_purpose),
    ),
}
