"""What KMS's Sign is asked for, by the algorithm of the key and the size of the message."""

import base64
import hashlib
import json

import pytest

from signer_aws_kms.sign_request import Body, SignRequests
from signer_core import Algorithm, PublicKey
from tests.strategies import private_key

SHORT, LONG = b"message", bytes(4097)
NAMES = {
    Algorithm.ED25519: "ED25519_SHA_512",
    Algorithm.ECDSA_P256_SHA256: "ECDSA_SHA_256",
    Algorithm.RSA_PSS_SHA256: "RSASSA_PSS_SHA_256",
    Algorithm.ML_DSA_65: "ML_DSA_SHAKE_256",
}


def requests(algorithm: Algorithm, **more: object) -> tuple[SignRequests, PublicKey]:
    public_key = PublicKey.from_cryptography(private_key(algorithm).public_key(), algorithm=algorithm)
    return SignRequests('a "name"', public_key, **more), public_key


def asked(body: Body | None, content: bytes) -> tuple[str, bytes]:
    """The type and the content of what is to be signed."""
    assert body is not None
    request = json.loads(body(content))
    return request["MessageType"], base64.b64decode(request["Message"])


@pytest.mark.parametrize(("algorithm", "name"), NAMES.items())
def test_a_request_names_the_key_and_the_algorithm_and_has_the_further_parameters(
    algorithm: Algorithm, name: str
) -> None:
    made, _ = requests(algorithm, DryRun=True)
    for body in (made.of_message, made.of_digest or made.of_message):
        request = json.loads(body(SHORT))
        assert request.keys() == {"KeyId", "SigningAlgorithm", "MessageType", "DryRun", "Message"}
        assert (request["KeyId"], request["SigningAlgorithm"], request["DryRun"]) == ('a "name"', name, True)


@pytest.mark.parametrize("message", [b"", SHORT, LONG])
def test_ed25519_has_every_message_whole_and_signs_no_digest(message: bytes) -> None:
    made, _ = requests(Algorithm.ED25519)
    assert asked(made.of_message, message) == ("RAW", message)
    assert made.of_digest is None


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PSS_SHA256])
@pytest.mark.parametrize("message", [b"", SHORT, LONG])
def test_ecdsa_and_rsa_have_digests(algorithm: Algorithm, message: bytes) -> None:
    made, _ = requests(algorithm)
    digest = hashlib.sha256(message).digest()
    assert asked(made.of_message, message) == asked(made.of_digest, digest) == ("DIGEST", digest)


def test_ml_dsa_has_messages_whole_while_they_are_not_too_large() -> None:
    made, public_key = requests(Algorithm.ML_DSA_65)
    assert asked(made.of_message, LONG[:4096]) == ("RAW", LONG[:4096])
    hasher = public_key.hasher()
    hasher.update(LONG)
    assert asked(made.of_message, LONG) == asked(made.of_digest, hasher.digest()) == ("EXTERNAL_MU", hasher.digest())
