"""Opening a key: a file beside what cannot be spared, which is slow by design; AWS KMS beside a boto3 client."""

import os
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from benchmarks.key_file import PASSPHRASE, key_file
from benchmarks.kms_server import ENVIRONMENT, stand_in
from benchmarks.kms_stand_in import ARN
from benchmarks.measuring import Comparison, compared, interleaved
from signer_core import create_signer

DISTRIBUTIONS = ("boto3", "cryptography")


def comparisons() -> Iterator[Comparison]:
    with key_file() as config:
        times = interleaved({"open": lambda: create_signer(config).close(), "load": load}, rounds=40)
        yield compared("a key file", times["open"], times["load"], 1.1)
    os.environ.update(ENVIRONMENT)
    with stand_in(0, None) as url:
        kms = {"backend": "awskms", "key_id": ARN, "endpoint_url": url}
        with create_signer(kms):
            times = interleaved({"second": lambda: create_signer(kms).close(), "raw": lambda: raw(url)}, rounds=60)
            yield compared("one more key of an AWS account", times["second"], times["raw"], 1.0)


def load() -> None:
    """What ev-node's key files ask for: derive a key from the passphrase, decrypt the private key with it, load it."""
    derived = Argon2id(salt=SALT, length=32, iterations=3, lanes=4, memory_cost=32 * 1024).derive(PASSPHRASE)
    private = AESGCM(derived).decrypt(NONCE, ENCRYPTED, None)
    Ed25519PrivateKey.from_private_bytes(private[:32]).public_key().public_bytes_raw()


def raw(url: str) -> None:
    """A client, and the public key."""
    import boto3

    client = boto3.client("kms", endpoint_url=url)
    client.get_public_key(KeyId=ARN)
    client.close()


SALT, NONCE = os.urandom(16), os.urandom(12)
ENCRYPTED = AESGCM(
    Argon2id(salt=SALT, length=32, iterations=3, lanes=4, memory_cost=32 * 1024).derive(PASSPHRASE)
).encrypt(NONCE, os.urandom(64), None)
