"""What can be signed in place of a message."""

import hashlib
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS, prehash_of
from signer_core.errors import UnsupportedAlgorithmError
from tests.strategies import messages, private_key

HASHING = [each for each in Algorithm if FACTS[each].scheme.hash_name]
PREHASHED = [each for each in Algorithm if each is not Algorithm.ED25519]


def public_key(algorithm: Algorithm) -> PublicKey:
    return PublicKey.from_cryptography(private_key(algorithm).public_key(), algorithm=algorithm)


@pytest.mark.parametrize("algorithm", HASHING)
def test_prehash_is_the_digest_by_the_algorithm_s_hash(algorithm: Algorithm) -> None:
    name = FACTS[algorithm].scheme.hash_name
    assert name is not None
    expected = hashlib.new(name, b"message")
    hasher = public_key(algorithm).hasher()
    hasher.update(b"message")
    assert (hasher.digest(), hasher.hexdigest()) == (expected.digest(), expected.hexdigest())
    assert (hasher.name, hasher.digest_size) == prehash_of(algorithm)[:2] == (name, expected.digest_size)


@pytest.mark.parametrize("algorithm", [Algorithm.ML_DSA_44, Algorithm.ML_DSA_65, Algorithm.ML_DSA_87])
@given(message=messages)
def test_prehash_of_ml_dsa_is_its_mu(algorithm: Algorithm, message: bytes) -> None:
    """Cryptography's own ML-DSA signs and verifies with the μ as it does with the message."""
    private = private_key(algorithm)
    hasher = public_key(algorithm).hasher()
    hasher.update(message)
    private.public_key().verify(private.sign_mu(hasher.digest()), message)
    private.public_key().verify_mu(private.sign(message), hasher.digest())
    assert (hasher.name, hasher.digest_size) == ("ml-dsa-mu", 64) == prehash_of(algorithm)[:2]
    assert hasher.hexdigest() == hasher.digest().hex()


def test_mu_belongs_to_one_public_key() -> None:
    keys = [private_key(Algorithm.ML_DSA_44, number).public_key() for number in (1, 2)]
    first, second = (PublicKey.from_cryptography(key).hasher() for key in keys)
    assert first.digest() != second.digest()


@pytest.mark.parametrize("algorithm", PREHASHED)
@given(pieces=st.lists(st.binary(max_size=300)))
def test_message_may_come_in_pieces(algorithm: Algorithm, pieces: list[bytes]) -> None:
    in_pieces, at_once = public_key(algorithm).hasher(), public_key(algorithm).hasher()
    for number, piece in enumerate(pieces):
        in_pieces.update((bytes, bytearray, memoryview)[number % 3](piece))
    at_once.update(b"".join(pieces))
    assert in_pieces.digest() == at_once.digest()


@pytest.mark.parametrize("algorithm", PREHASHED)
def test_file_digest_works_with_it(algorithm: Algorithm) -> None:
    key = public_key(algorithm)
    expected = key.hasher()
    expected.update(b"message")
    assert hashlib.file_digest(io.BytesIO(b"message"), key.hasher).digest() == expected.digest()  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", PREHASHED)
@given(message=messages)
def test_signature_over_the_message_verifies_with_its_digest(algorithm: Algorithm, message: bytes) -> None:
    scheme, private = FACTS[algorithm].scheme, private_key(algorithm)
    key = public_key(algorithm)
    hasher = key.hasher()
    hasher.update(message)
    sign_digest: Any = scheme.digest_signer(private)
    key.verify_digest(scheme.signer(private)(message), hasher.digest())
    key.verify(sign_digest(hasher.digest()), message)


def test_ed25519_has_none_and_says_why() -> None:
    key, private = public_key(Algorithm.ED25519), private_key(Algorithm.ED25519)
    for call in (lambda: prehash_of(Algorithm.ED25519), key.hasher, lambda: key.verify_digest(bytes(64), bytes(64))):
        with pytest.raises(
            UnsupportedAlgorithmError, match=r"^ed25519 signs no digests; .* needs the message whole; .*\(Ed25519ph\)"
        ):
            call()
    scheme = FACTS[Algorithm.ED25519].scheme
    assert (scheme.digest_signer(private), scheme.digest_verifier(private.public_key())) == (None, None)
