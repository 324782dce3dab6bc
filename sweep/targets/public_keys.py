"""Public keys in each encoding, and signatures."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS
from signer_core.ecdsa_signatures import normalize_low_s, signature_from_p1363, signature_to_p1363
from signer_core.errors import InvalidSignatureError, SignerError, UnsupportedAlgorithmError
from sweep.target import MARKER, Check, Target, expect, refusing, simply
from tests.strategies import private_key

ALGORITHMS = tuple(Algorithm)
MESSAGE = b"message"


def keys() -> Iterator[PublicKey]:
    """One for each algorithm."""
    for algorithm in ALGORITHMS:
        yield PublicKey.from_cryptography(private_key(algorithm).public_key(), algorithm=algorithm)


def encoded(encode: Callable[[PublicKey], bytes]) -> Callable[[], Iterator[bytes]]:
    """The keys that have this encoding; and a private key, which must not come back in an error."""

    def seeds() -> Iterator[bytes]:
        for key in keys():
            try:
                yield encode(key)
            except UnsupportedAlgorithmError:
                continue
        private = Ed25519PrivateKey.from_private_bytes(MARKER)
        yield private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        yield private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    return seeds


def decoding(decode: Callable[[bytes], PublicKey], encode: Callable[[PublicKey], bytes]) -> Check:
    """What is a key is the same one when it was written and read again, and verifies no empty signature."""

    def check(data: bytes) -> None:
        with refusing():
            key = decode(data)
            expect(decode(encode(key)) == key, "a key is another one when it was written and read again")
            expect(PublicKey.from_der(key.to_der(), algorithm=key.algorithm) == key, "its DER is another key's")
            repr(key)
            try:
                key.verify(b"", MESSAGE)
            except InvalidSignatureError:
                return
            expect(None, "an empty signature verifies")

    return check


def _jwk(key: PublicKey) -> bytes:
    return json.dumps(key.to_jwk()).encode()


def _from_jwk(data: bytes) -> PublicKey:
    try:
        parsed: Any = json.loads(data)
    except (ValueError, RecursionError):
        parsed = {}
    return PublicKey.from_jwk(parsed)


def _raw(key: PublicKey) -> bytes:
    return bytes([ALGORITHMS.index(key.algorithm)]) + key.raw


def _from_raw(data: bytes) -> PublicKey:
    return PublicKey.from_raw(ALGORITHMS[data[0] % len(ALGORITHMS) if data else 0], data[1:])


def _signatures() -> Iterator[bytes]:
    for index, algorithm in enumerate(ALGORITHMS):
        facts = FACTS[algorithm]
        signature = facts.scheme.signer(private_key(algorithm))(MESSAGE)
        yield bytes([index]) + signature


def _check_signature(data: bytes) -> None:
    """A signature verifies or is invalid, and so are its other forms."""
    algorithm = ALGORITHMS[data[0] % len(ALGORITHMS) if data else 0]
    key, signature = PublicKey.from_cryptography(private_key(algorithm).public_key(), algorithm=algorithm), data[1:]
    try:
        key.verify(signature, MESSAGE)
        verifies = True
    except InvalidSignatureError:
        verifies = False
    try:
        pair = signature_to_p1363(signature, algorithm)
        expect(signature_from_p1363(pair, algorithm) == signature, "a signature is another one in JOSE's form")
    except SignerError:
        expect(not (verifies and algorithm.startswith("ecdsa")), "a signature verifies and has no form of JOSE's")
        return
    if algorithm is Algorithm.ECDSA_SECP256K1_SHA256 and verifies:
        key.verify(normalize_low_s(signature), MESSAGE)


TARGETS = {
    "public-pem": Target(encoded(PublicKey.to_pem), simply(decoding(PublicKey.from_pem, PublicKey.to_pem))),
    "public-der": Target(encoded(PublicKey.to_der), simply(decoding(PublicKey.from_der, PublicKey.to_der))),
    "public-openssh": Target(
        encoded(PublicKey.to_openssh), simply(decoding(PublicKey.from_openssh, PublicKey.to_openssh))
    ),
    "public-libp2p": Target(encoded(PublicKey.to_libp2p), simply(decoding(PublicKey.from_libp2p, PublicKey.to_libp2p))),
    "public-jwk": Target(encoded(_jwk), simply(decoding(_from_jwk, _jwk))),
    "public-raw": Target(encoded(_raw), simply(decoding(_from_raw, _raw))),
    "signatures": Target(_signatures, simply(_check_signature)),
}
