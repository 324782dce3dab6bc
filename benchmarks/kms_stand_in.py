"""A KMS that costs next to nothing, in a process of its own: it makes each answer once, and gives it from then on.

``python -m benchmarks.kms_stand_in DELAY [CERTIFICATE [SHARE SLOW]]`` prints its port; it ends with its standard input.
DELAY is in seconds; CERTIFICATE is a PEM file with key and certificate, for TLS; SHARE of the signatures take SLOW
seconds instead. The operation ``Count`` tells how many signatures were asked for.

Every ARN names a key: one of P-256 if it ends as :data:`P256_ARN` does, else the one of Ed25519.
"""

import asyncio
import base64
import json
import random
import ssl
import sys
import threading
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MESSAGE = bytes(range(256))
ARN = "arn:aws:kms:us-east-1:111122223333:key/0f0e0d0c-0b0a-4988-8776-655443322110"
P256_ARN = "arn:aws:kms:us-east-1:111122223333:key/0f0e0d0c-0b0a-4988-8776-655443322256"


def numbered_arn(number: int) -> str:
    """One of many keys."""
    return f"{ARN[:-12]}{number:012d}"


class Keys:
    """What answers."""

    def __init__(self) -> None:
        self._ed25519 = Ed25519PrivateKey.generate()
        self._p256 = ec.generate_private_key(ec.SECP256R1())
        self._made: dict[tuple[bytes, bytes], bytes] = {}

    def answer(self, operation: bytes, body: bytes) -> bytes:
        """The whole answer."""
        made = self._made.get((operation, body))
        if made is None:
            asked = json.loads(body)
            content = self._public_key(asked) if operation == b"GetPublicKey" else self._signature(asked)
            made = self._made[operation, body] = answer({"KeyId": asked["KeyId"], **content})
        return made

    def _public_key(self, asked: dict[str, str]) -> dict[str, Any]:
        p256 = asked["KeyId"] == P256_ARN
        public = (self._p256 if p256 else self._ed25519).public_key()
        spec = "ECC_NIST_P256" if p256 else "ECC_NIST_EDWARDS25519"
        return {
            "PublicKey": encoded(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
            "KeyUsage": "SIGN_VERIFY",
            "KeySpec": spec,
            "CustomerMasterKeySpec": spec,
            "SigningAlgorithms": ["ECDSA_SHA_256"] if p256 else ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
        }

    def _signature(self, asked: dict[str, str]) -> dict[str, Any]:
        message = base64.b64decode(asked["Message"])
        if asked["KeyId"] == P256_ARN:
            sha256 = hashes.SHA256()
            hashing = Prehashed(sha256) if asked["MessageType"] == "DIGEST" else sha256
            signature = self._p256.sign(message, ec.ECDSA(hashing))
        else:
            signature = self._ed25519.sign(message)
        return {"Signature": encoded(signature), "SigningAlgorithm": asked["SigningAlgorithm"]}


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


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


class Delays:
    """How long each signature takes, in seconds: some of them much longer than the others."""

    def __init__(self, usual: float, share: float, slow: float) -> None:
        self.usual = usual
        self.share = share
        self.slow = slow
        self.signatures = 0
        self._random = random.Random(1)  # noqa: S311 — the same ones in each run

    def next(self) -> float:
        self.signatures += 1
        return self.slow if self.share and self._random.random() < self.share else self.usual


class StandIn(asyncio.Protocol):
    """One connection."""

    def __init__(self, keys: Keys, delays: Delays) -> None:
        self.keys = keys
        self.delays = delays
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

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
        if operation == b"Count":
            self.transport.write(answer({"signatures": self.delays.signatures}))
            return
        answered = self.keys.answer(operation, body)
        if delay := self.delays.next() if operation == b"Sign" else self.delays.usual:
            asyncio.get_running_loop().call_later(delay, self.transport.write, answered)
        else:
            self.transport.write(answered)


async def serve(certificate: str, delays: Delays) -> None:
    loop = asyncio.get_running_loop()
    keys = Keys()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await loop.create_server(lambda: StandIn(keys, delays), "127.0.0.1", 0, ssl=context, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    over = asyncio.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    await over.wait()


if __name__ == "__main__":
    usual, path, share, slow = (*sys.argv[1:], *("", "0", "0")[len(sys.argv) - 2 :])
    asyncio.run(serve(path, Delays(float(usual), float(share), float(slow))))
