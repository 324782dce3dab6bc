"""A KMS that costs next to nothing, in a process of its own: one key, one message, answers made in advance.

``python -m benchmarks.kms_stand_in DELAY [CERTIFICATE]`` prints its port; it ends with its standard input. DELAY is in
seconds; CERTIFICATE is a PEM file with key and certificate, for TLS.
"""

import asyncio
import base64
import json
import ssl
import sys
import threading

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MESSAGE = bytes(range(256))
ARN = "arn:aws:kms:us-east-1:111122223333:key/0f0e0d0c-0b0a-4988-8776-655443322110"


def answers() -> dict[bytes, bytes]:
    """What is answered, by operation."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    contents = {
        b"GetPublicKey": {
            "KeyId": ARN,
            "PublicKey": base64.b64encode(public).decode(),
            "KeyUsage": "SIGN_VERIFY",
            "KeySpec": "ECC_NIST_EDWARDS25519",
            "CustomerMasterKeySpec": "ECC_NIST_EDWARDS25519",
            "SigningAlgorithms": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
        },
        b"Sign": {
            "KeyId": ARN,
            "Signature": base64.b64encode(key.sign(MESSAGE)).decode(),
            "SigningAlgorithm": "ED25519_SHA_512",
        },
    }
    return {operation: answer(content) for operation, content in contents.items()}


def answer(content: object) -> bytes:
    body = json.dumps(content).encode()
    lines = (  # those of KMS
        "HTTP/1.1 200 OK",
        "x-amzn-RequestId: 2cb0b9e1-9180-48b6-9444-4378c8ef06d2",
        "Cache-Control: no-cache, no-store, must-revalidate, private",
        "Expires: 0",
        "Pragma: no-cache",
        "Date: Fri, 07 Aug 2026 12:00:00 GMT",
        "Content-Type: application/x-amz-json-1.1",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


class StandIn(asyncio.Protocol):
    """One connection."""

    def __init__(self, answers: dict[bytes, bytes], delay: float) -> None:
        self.answers = answers
        self.delay = delay
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        size = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(body) < int(size):
            return
        self.received = b""
        operation = head.partition(b"TrentService.")[2].partition(b"\r\n")[0]
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, self.answers[operation])
        else:
            self.transport.write(self.answers[operation])


async def serve(delay: float, certificate: str | None) -> None:
    loop = asyncio.get_running_loop()
    prepared = answers()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await loop.create_server(lambda: StandIn(prepared, delay), "127.0.0.1", 0, ssl=context, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    over = asyncio.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    await over.wait()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
