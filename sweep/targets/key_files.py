"""Key files, and private keys that somebody brings along."""

import base64
import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from signer_core import Algorithm, PublicKey, Secret, create_signer
from signer_file import evnode, pkcs8
from signer_file.imported import recognise
from sweep.target import MARKER, Check, Target, expect, refusing
from tests.plugins.file.keys import BY_NAME, LEGACY
from tests.strategies import private_key

#: ev-node's, so that its files, which are among the seeds, open.
PASSPHRASE = LEGACY.passphrase


def _quick() -> contextlib.AbstractContextManager[object]:
    """Deriving a key from a passphrase takes next to no time, and what would take long is refused much earlier."""
    quick = contextlib.ExitStack()
    for name, value in {"pbes2._N": 16, "pbes2._SCRYPT_MAX_WORK": 2**14, "pbes2._PBKDF2_MAX_ROUNDS": 4096}.items():
        quick.enter_context(mock.patch(f"signer_file.{name}", value))
    quick.enter_context(mock.patch("signer_file.imported._OPENSSH_MAX_ROUNDS", 2))
    quick.enter_context(
        mock.patch("signer_file.evnode._derive", lambda *parts: hashlib.sha256(b"".join(parts)).digest())
    )
    return quick


def _pem(key: object, format_: PrivateFormat = PrivateFormat.PKCS8, passphrase: bytes | None = None) -> bytes:
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    pem: bytes = key.private_bytes(Encoding.PEM, format_, encryption)  # type: ignore[attr-defined]
    return pem


def _private_keys() -> Iterator[object]:
    yield Ed25519PrivateKey.from_private_bytes(MARKER)
    for algorithm in (Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PSS_SHA256, Algorithm.ML_DSA_44):
        yield private_key(algorithm)


def _evnode_seeds() -> Iterator[bytes]:
    yield from (each.content for each in BY_NAME.values() if each.passphrase == PASSPHRASE)
    yield LEGACY.content.replace(b"}", b',"salt":null}')
    with _quick():
        yield evnode.seal(Ed25519PrivateKey.from_private_bytes(MARKER), PASSPHRASE)


def _pkcs8_seeds() -> Iterator[bytes]:
    for key in _private_keys():
        with _quick():
            yield pkcs8.seal(key, PASSPHRASE)
        yield _pem(key)
        yield _pem(key, passphrase=PASSPHRASE)


def _imported_seeds() -> Iterator[bytes]:
    yield MARKER.hex().encode()
    yield MARKER + Ed25519PrivateKey.from_private_bytes(MARKER).public_key().public_bytes_raw()
    for key in _private_keys():
        with contextlib.suppress(ValueError):  # ML-DSA has neither form
            yield _pem(key, PrivateFormat.OpenSSH)
        if not isinstance(key, Ed25519PrivateKey):
            with contextlib.suppress(ValueError):
                yield _pem(key, PrivateFormat.TraditionalOpenSSL)
                yield _pem(key, PrivateFormat.TraditionalOpenSSL, PASSPHRASE)
    yield from _evnode_seeds()
    yield from _pkcs8_seeds()


@contextlib.contextmanager
def _opening(name: str) -> Iterator[Check]:
    """A key file opens, and its key signs, or it is refused; nothing in its directory is changed."""
    logging.disable()
    with tempfile.TemporaryDirectory() as directory, _quick():
        path = Path(directory, name)

        def check(data: bytes) -> None:
            path.write_bytes(data)
            path.chmod(0o600)
            options = {"backend": "file", "path": path, "passphrase": Secret(PASSPHRASE), "allow_unencrypted": True}
            with refusing(), create_signer(options) as signer:
                signer.public_key.verify(signer.sign(b"message"), b"message")
            expect(os.listdir(directory) == [name] and path.read_bytes() == data, "opening a key file changed it")

        yield check


def _recognising(wrap: Callable[[bytes], bytes]) -> Callable[[], contextlib.AbstractContextManager[Check]]:
    @contextlib.contextmanager
    def recognising() -> Iterator[Check]:
        """A private key is recognised and is the same one when it was written to a file, or it is refused."""
        logging.disable()
        with _quick():

            def check(data: bytes) -> None:
                key = None
                with refusing():
                    found, _ = recognise(wrap(data), lambda: PASSPHRASE, None)
                    PublicKey.from_cryptography(found.public_key())
                    key = found
                if key is not None:
                    again = pkcs8.PrivateKeyPem.parse(pkcs8.seal(key, PASSPHRASE)).open(PASSPHRASE)
                    expect(again.public_key() == key.public_key(), "a key file holds another key")

            yield check

    return recognising


def _wrapped(data: bytes) -> bytes:
    """DER in PEM, so that it is DER that is changed: a private key, an encrypted one, or one of OpenSSH's."""
    label = (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"OPENSSH PRIVATE KEY")[data[0] % 3 if data else 0]
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, base64.encodebytes(data[1:]), label)


def _unwrapped() -> Iterable[bytes]:
    for pem in [*_pkcs8_seeds(), *_imported_seeds()]:
        for number, label in enumerate((b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"OPENSSH PRIVATE KEY")):
            if pem.startswith(b"-----BEGIN %s-----" % label):
                yield bytes([number]) + base64.b64decode(pem.split(b"-----")[2])


TARGETS = {
    "key-file-evnode": Target(_evnode_seeds, lambda: _opening("signer.json")),
    "key-file-pem": Target(_pkcs8_seeds, lambda: _opening("signer.pem")),
    "key-import": Target(_imported_seeds, _recognising(bytes)),
    "key-import-der": Target(_unwrapped, _recognising(_wrapped)),
}
