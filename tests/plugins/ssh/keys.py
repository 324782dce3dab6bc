"""Signers with keys of each kind that SSH has, and what their clients send."""

import functools
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signer_core import Algorithm, PublicKey, Signer
from signer_noop import NoopKey
from signer_ssh import messages
from signer_ssh.authentication import AuthenticationRequest
from signer_ssh.keys import NAMES, encode_key, encode_signature
from signer_ssh.wire import string, uint32
from tests.strategies import private_key

SESSION_ID = bytes(range(32))

#: What a client sets for RSA keys.
FLAGS = {name: flag for flag, name in messages.RSA_FLAGS.items()}


def signer(algorithm: Algorithm = Algorithm.ED25519, *, number: int = 1, **options: Any) -> Signer:
    """A signer in memory."""
    return Signer(NoopKey(private_key(algorithm, number), algorithm, reopens=True), **{"name": "mine", **options})


def public_key(algorithm: Algorithm = Algorithm.ED25519, *, number: int = 1) -> PublicKey:
    """The public key of that signer."""
    return PublicKey.from_cryptography(private_key(algorithm, number).public_key(), algorithm=algorithm)


@functools.cache
def signature(algorithm: Algorithm = Algorithm.ED25519) -> bytes:
    """That signer's signature over ``message``, as SSH has it; always the same one, as Hypothesis wants it."""
    with signer(algorithm) as mine:
        return encode_signature(algorithm, mine.sign(b"message"))


def authentication(
    algorithm: Algorithm = Algorithm.ED25519,
    *,
    number: int = 1,
    session_id: bytes = SESSION_ID,
    host_key: bytes | None = None,
) -> bytes:
    """What is signed in order to log in with that signer's key."""
    key = encode_key(public_key(algorithm, number=number))
    return AuthenticationRequest(session_id, "root", NAMES[algorithm], key, host_key).encoded()


def sign_request(key: bytes, data: bytes, flags: int = 0) -> bytes:
    """A client's message."""
    return bytes([messages.SIGN_REQUEST]) + string(key) + string(data) + uint32(flags)


def write_key(place: Path, algorithm: Algorithm = Algorithm.ED25519, *, number: int = 1) -> str:
    """A key file, and what its table says besides its heading."""
    pem = private_key(algorithm, number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = place / f"{algorithm}-{number}.pem"
    path.touch(mode=0o600)
    path.write_bytes(pem)
    return f'backend = "file"\npath = "{path}"\nalgorithm = "{algorithm}"\nallow_unencrypted = true\n'


def write_public_key(path: Path, algorithm: Algorithm = Algorithm.ED25519, *, number: int = 1) -> Path:
    """The public key of that signer, in a file as OpenSSH has it."""
    path.write_bytes(public_key(algorithm, number=number).to_openssh() + b" a comment\n")
    return path
