"""What is recognised as a private key that somebody brings along, and what is said of the rest."""

import base64
import hashlib
import sys

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from signer_core import Algorithm
from signer_core.errors import ConfigError, KeyFormatError, SignerError, UnsupportedAlgorithmError
from signer_file.expanded import check_expanded
from signer_file.imported import recognise
from tests.strategies import private_key

from .keys import ASCII, PASSPHRASE

KEY = private_key(Algorithm.ED25519)
#: What cryptography makes of it with the fewest rounds that it allows.
ENCRYPTED = KEY.private_bytes(
    Encoding.PEM,
    PrivateFormat.OpenSSH,
    PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1).build(PASSPHRASE),
)


def refused(content: bytes, algorithm: Algorithm | None = None) -> SignerError:
    with pytest.raises(SignerError) as caught:
        recognise(content, lambda: PASSPHRASE, algorithm)
    return caught.value


def edited(pem: bytes, old: bytes, new: bytes) -> bytes:
    """The PEM with the first ``old`` inside of it replaced by ``new``."""
    first, *body, last = pem.splitlines()
    return b"\n".join([first, base64.b64encode(base64.b64decode(b"".join(body)).replace(old, new, 1)), last])


def test_an_encrypted_openssh_key_is_recognised() -> None:
    key, was_encrypted = recognise(ENCRYPTED, lambda: PASSPHRASE, None)
    assert (key.private_bytes_raw(), was_encrypted) == (KEY.private_bytes_raw(), True)


def with_rounds(rounds: int) -> bytes:
    number_of_keys = bytes([0, 0, 0, 1])  # comes next
    return edited(ENCRYPTED, bytes([0, 0, 0, 1]) + number_of_keys, rounds.to_bytes(4) + number_of_keys)


def test_rounds_of_an_openssh_key_are_counted_where_they_stand() -> None:
    error = refused(with_rounds(4097))
    assert error.message == "its key derivation would take 4097 rounds, where 4096 are plenty"


@pytest.mark.parametrize("rounds", [1, 4096])
def test_an_encrypted_openssh_key_takes_bcrypt(monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    def missing(*_: object) -> bytes:  # what cryptography has in its place
        raise UnsupportedAlgorithm("Need bcrypt module")

    monkeypatch.setitem(sys.modules, "bcrypt", None)
    monkeypatch.setattr("cryptography.hazmat.primitives.serialization.ssh._bcrypt_kdf", missing)
    error = refused(with_rounds(rounds))
    assert isinstance(error, ConfigError)
    assert error.message == "an encrypted OpenSSH private key takes the package bcrypt, which is not installed"
    assert error.remedy == "pip install 'signer-file[openssh]'"


def test_an_openssh_key_in_a_cipher_that_nobody_knows_is_not_for_want_of_bcrypt() -> None:
    error = refused(edited(ENCRYPTED, b"aes256-ctr", b"aes999-ctr"))
    assert isinstance(error, UnsupportedAlgorithmError)
    assert error.message == "the OpenSSH private key is in a form that is not supported"


@pytest.mark.parametrize(
    ("content", "algorithm", "right"),
    [
        (b"01" * 31, None, "ed25519 in hex has 64 or 128 digits, not 62"),
        (b"1" * 63, None, "ed25519 in hex has 64 or 128 digits, not 63"),
        (b"01" * 31, Algorithm.ECDSA_P384_SHA384, "ecdsa-p384-sha384 in hex has 96 digits, not 62"),
        (b"01" * 32, Algorithm.RSA_PSS_SHA256, "rsa-pss-sha256 in hex has no digits, not 64"),
    ],
)
def test_hex_of_another_size_is_told_with_all_forms(content: bytes, algorithm: Algorithm | None, right: str) -> None:
    error = refused(content, algorithm)
    assert isinstance(error, KeyFormatError)
    assert error.message == f"a private key for {right}"
    assert str(error.remedy).startswith("give the 64 hex digits of a seed")


def test_what_has_no_form_that_is_known_is_told_all_forms() -> None:
    error = refused(b"hunter2 hunter2")
    assert error.message == "this is no private key in a form that is known"
    assert str(error.remedy).startswith("give the 64 hex digits of a seed")


def test_a_signer_json_may_begin_with_white_space() -> None:
    key, was_encrypted = recognise(b"\n " + ASCII.content, lambda: ASCII.passphrase, None)
    assert (key.private_bytes_raw(), was_encrypted) == (ASCII.seed, True)


def test_an_expanded_key_is_held_to_its_seed_by_both_of_what_it_has_of_the_public_key() -> None:
    key = private_key(Algorithm.ML_DSA_65)
    raw = key.public_key().public_bytes_raw()
    rho, secret, hashed = raw[:32], bytes(32), hashlib.shake_256(raw).digest(64)
    check_expanded(key, rho + secret + hashed + b"and so on")
    for damaged in (bytes(32) + secret + hashed, rho + secret + bytes(64), rho + secret + hashed[:-1]):
        with pytest.raises(KeyFormatError, match="its seed does not belong to the expanded key beside it"):
            check_expanded(key, damaged)
