"""Public keys and signatures as SSH has them."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm
from signer_core.errors import InvalidSignatureError, UnsupportedAlgorithmError
from signer_ssh.errors import MalformedError
from signer_ssh.keys import NAMES, algorithm_name, encode_key, encode_signature, verify
from signer_ssh.wire import mpint, string, text
from tests.plugins.ssh.keys import public_key, signature, signer
from tests.plugins.ssh.programs import output
from tests.strategies import mutated, private_key

every_algorithm = pytest.mark.parametrize("algorithm", NAMES)


@every_algorithm
@given(message=st.binary(max_size=50))
def test_signatures_are_verified(algorithm: Algorithm, message: bytes) -> None:
    with signer(algorithm) as mine:
        made = encode_signature(algorithm, mine.sign(message))
    key = encode_key(public_key(algorithm))
    verify(key, made, message)
    with pytest.raises(InvalidSignatureError):
        verify(key, made, message + b".")


@every_algorithm
@given(data=st.data())
def test_what_is_altered_is_another_signature_or_malformed(algorithm: Algorithm, data: st.DataObject) -> None:
    good = signature(algorithm)
    altered = data.draw(mutated(good))
    if altered != good:
        with pytest.raises((InvalidSignatureError, MalformedError)):
            verify(encode_key(public_key(algorithm)), altered, b"message")


@given(data=st.data())
def test_an_altered_key_is_another_or_malformed(data: st.DataObject) -> None:
    algorithm = data.draw(st.sampled_from(sorted(NAMES)))
    good = encode_key(public_key(algorithm))
    altered = data.draw(mutated(good) | st.binary(max_size=40))
    if altered != good:
        with pytest.raises((InvalidSignatureError, MalformedError)):
            verify(altered, signature(algorithm), b"message")


@every_algorithm
def test_a_key_is_as_in_the_line_of_openssh(algorithm: Algorithm) -> None:
    key = public_key(algorithm)
    kind, encoded = key.to_openssh().split()
    assert encode_key(key) == base64.b64decode(encoded)
    assert encode_key(key).startswith(string(kind))


@pytest.mark.parametrize("algorithm", sorted(set(Algorithm) - NAMES.keys()))
def test_what_ssh_does_not_have_is_an_error_that_says_what_it_has(algorithm: Algorithm) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=f"no signatures with {algorithm}.*ed25519|pkcs1v15-sha512"):
        algorithm_name(algorithm)


def test_sha_1_is_none() -> None:
    made = private_key(Algorithm.RSA_PKCS1V15_SHA256).sign(b"message", padding.PKCS1v15(), SHA1())
    key = encode_key(public_key(Algorithm.RSA_PKCS1V15_SHA256))
    with pytest.raises(MalformedError, match="'ssh-rsa', which is not known here"):
        verify(key, text("ssh-rsa") + string(made), b"message")


def test_the_numbers_of_a_signature_may_not_be_too_large() -> None:
    made = text("ecdsa-sha2-nistp256") + string(mpint(2**300) + mpint(1))
    with pytest.raises(InvalidSignatureError):
        verify(encode_key(public_key(Algorithm.ECDSA_P256_SHA256)), made, b"message")


def test_a_key_behind_the_name_of_a_key_is_not_read() -> None:
    """The name is a word; a line of OpenSSH's would go on with a key after a space."""
    algorithm = Algorithm.ED25519
    with pytest.raises(MalformedError, match="no public key of the kind"):
        verify(string(public_key(algorithm).to_openssh() + b" "), signature(algorithm), b"message")


def test_a_key_has_one_encoding() -> None:
    algorithm = Algorithm.RSA_PKCS1V15_SHA256
    numbers = public_key(algorithm).to_cryptography().public_numbers()
    good = text("ssh-rsa") + mpint(numbers.e) + mpint(numbers.n)
    longer = text("ssh-rsa") + string(b"\0" + numbers.e.to_bytes(3, "big")) + mpint(numbers.n)
    verify(good, signature(algorithm), b"message")
    with pytest.raises(MalformedError, match="no public key of the kind"):
        verify(longer, signature(algorithm), b"message")


def test_the_point_of_a_key_is_uncompressed() -> None:
    algorithm = Algorithm.ECDSA_P256_SHA256
    point = public_key(algorithm).raw
    key = text("ecdsa-sha2-nistp256") + text("nistp256") + string(point)
    with pytest.raises(MalformedError, match="no public key of the kind"):
        verify(key, signature(algorithm), b"message")


@pytest.mark.peer("ssh-keygen")
def test_a_key_in_a_certificate_verifies(tmp_path: Path) -> None:
    algorithm = Algorithm.ED25519
    (tmp_path / "host.pub").write_bytes(public_key(algorithm).to_openssh() + b"\n")
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "authority")
    output("ssh-keygen", "-q", "-s", tmp_path / "authority", "-h", "-I", "host", tmp_path / "host.pub")
    certificate = base64.b64decode((tmp_path / "host-cert.pub").read_text().split()[1])
    verify(certificate, signature(algorithm), b"message")


def test_a_key_on_a_token_does_not_sign_as_others_do() -> None:
    """What its token signs says so, and has more in it: the same bytes from elsewhere are no signature of it."""
    token = text("sk-ssh-ed25519@openssh.com") + string(public_key().raw) + text("ssh:")
    with pytest.raises(MalformedError, match="no public key of the kind that signs"):
        verify(token, signature(), b"message")
