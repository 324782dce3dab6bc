"""Encodings against facts from elsewhere: RFCs, openssl, ssh-keygen, ev-node."""

import base64
import copy
import hashlib
import json
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, x448, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS
from signer_core.errors import InvalidSignatureError, KeyFormatError, SignerError, UnsupportedAlgorithmError
from tests.keys import SEED, Ed25519Key, assert_hides, chain_of
from tests.strategies import flipped, messages, mutated, private_key, public_keys, signing_keys

# RFC 8032, section 7.1: public key, message, signature of the tests 1, 2, 3 and SHA(abc)
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
            "655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
            "b00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
            "c027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17a"
            "d9bef1177331a704"
        ),
    ),
]
RAW = bytes.fromhex(RFC_8032[0][0])
KEY = PublicKey.from_raw(Algorithm.ED25519, RAW)
SIGNATURE = bytes.fromhex(RFC_8032[0][2])

EVNODE = Path(__file__).parent / "plugins/file/evnode-key-files"

ENCODINGS: list[tuple[Callable[[PublicKey], Any], Callable[..., PublicKey]]] = [
    (PublicKey.to_pem, PublicKey.from_pem),
    (PublicKey.to_der, PublicKey.from_der),
    (PublicKey.to_jwk, PublicKey.from_jwk),
    (PublicKey.to_openssh, PublicKey.from_openssh),
    (PublicKey.to_libp2p, PublicKey.from_libp2p),
    (PublicKey.to_cryptography, PublicKey.from_cryptography),
]
RAW_SIZES = {
    Algorithm.ED25519: 32,
    Algorithm.ECDSA_P256_SHA256: 33,
    Algorithm.ECDSA_P384_SHA384: 49,
    Algorithm.ECDSA_P521_SHA512: 67,
    Algorithm.ECDSA_SECP256K1_SHA256: 33,
    Algorithm.ML_DSA_44: 1312,
    Algorithm.ML_DSA_65: 1952,
    Algorithm.ML_DSA_87: 2592,
}
OF_BYTES = [each for each in ENCODINGS if each[1] not in (PublicKey.from_jwk, PublicKey.from_cryptography)]


def key_for(algorithm: Algorithm) -> PublicKey:
    return PublicKey.from_cryptography(private_key(algorithm).public_key(), algorithm=algorithm)


def encodings_of(key: PublicKey) -> list[tuple[Callable[[PublicKey], Any], Callable[..., PublicKey]]]:
    """Those of :data:`ENCODINGS` that there are for the key, and the raw form."""
    key_type = FACTS[key.algorithm].key_type
    missing: dict[Callable[[PublicKey], Any], bool] = {
        PublicKey.to_openssh: not key_type.has_openssh,
        PublicKey.to_libp2p: key_type.libp2p is None,
    }
    there = [each for each in ENCODINGS if not missing.get(each[0], False)]
    raw = (lambda key: key.raw, lambda raw, algorithm: PublicKey.from_raw(algorithm, raw))
    return [*there, raw] if key_type.has_raw else there


@pytest.mark.parametrize(("raw", "message", "signature"), RFC_8032)
def test_verify_the_signatures_of_rfc_8032(raw: str, message: str, signature: str) -> None:
    key = PublicKey.from_raw(Algorithm.ED25519, bytes.fromhex(raw))
    key.verify(bytes.fromhex(signature), bytes.fromhex(message))


def test_der_is_that_of_rfc_8410() -> None:
    assert KEY.to_der() == bytes.fromhex("302a300506032b6570032100") + RAW


@pytest.mark.peer("openssl")
def test_pem_and_der_are_those_of_openssl(tmp_path: Path) -> None:
    private = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    pem = subprocess.run(["openssl", "pkey", "-in", private, "-pubout"], check=True, capture_output=True).stdout
    command = ["openssl", "pkey", "-in", str(private), "-pubout", "-outform", "DER"]
    der = subprocess.run(command, check=True, capture_output=True).stdout

    key = PublicKey.from_pem(pem)

    assert (key.to_pem(), key.to_der()) == (pem, der)
    assert PublicKey.from_der(der) == key
    assert key.fingerprint == hashlib.sha256(der).hexdigest()


@pytest.mark.peer("ssh-keygen")
def test_openssh_has_the_fingerprint_that_ssh_keygen_shows(tmp_path: Path) -> None:
    private = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a comment", "-f", private], check=True)
    line = (tmp_path / "key.pub").read_bytes()
    key = PublicKey.from_openssh(line)
    assert key.to_openssh() == line.rsplit(b" ", 2)[0]

    (tmp_path / "again.pub").write_bytes(key.to_openssh())
    shown = [
        subprocess.run(["ssh-keygen", "-l", "-f", each], check=True, capture_output=True, text=True).stdout.split()[1]
        for each in (tmp_path / "key.pub", tmp_path / "again.pub")
    ]
    digest = hashlib.sha256(base64.b64decode(key.to_openssh().split()[1])).digest()
    assert shown == ["SHA256:" + base64.b64encode(digest).rstrip(b"=").decode()] * 2


def test_addresses_and_signatures_are_those_of_ev_node() -> None:
    rows = json.loads((EVNODE / "manifest.json").read_text())
    assert len(rows) >= 7
    for row in rows:
        key = PublicKey.from_raw(Algorithm.ED25519, bytes.fromhex(row["public_key_hex"]))
        assert key.address.hex() == row["address_hex"]
        key.verify(bytes.fromhex(row["signature_hex"]), bytes.fromhex(row["message_hex"]))


def test_address_is_sha_256_of_the_raw_key() -> None:
    assert KEY.address.hex() == hashlib.sha256(RAW).hexdigest()
    assert KEY.raw == RAW


@given(public_keys)
def test_each_encoding_leads_back_to_the_key(key: PublicKey) -> None:
    for to, back in encodings_of(key):
        again = back(to(key), algorithm=key.algorithm)
        assert again == key
        assert to(again) == to(key) or to is PublicKey.to_cryptography


@pytest.mark.parametrize("algorithm", Algorithm)
def test_an_encoding_is_there_or_is_refused_as_unsupported(algorithm: Algorithm) -> None:
    key = key_for(algorithm)
    key_type = FACTS[algorithm].key_type
    for encode, is_there, missing in (
        (key.to_openssh, key_type.has_openssh, "form in OpenSSH; use PEM, DER or a JSON Web Key"),
        (key.to_libp2p, key_type.libp2p is not None, "form in libp2p; use PEM, DER or a JSON Web Key"),
        (lambda: key.raw, key_type.has_raw, "raw form.*; use "),
        (lambda: key.address, key_type.has_raw, "raw form.*; use "),
    ):
        if is_there:
            assert isinstance(encode(), bytes)
        else:
            with pytest.raises(UnsupportedAlgorithmError, match=f"^{key_type.name} has no {missing}"):
                encode()


def test_raw_of_an_algorithm_without() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="an RSA key has no raw form; use its DER"):
        PublicKey.from_raw(Algorithm.RSA_PSS_SHA256, b"raw")


@pytest.mark.parametrize(("algorithm", "size"), RAW_SIZES.items())
def test_size_of_the_raw_form(algorithm: Algorithm, size: int) -> None:
    assert len(key_for(algorithm).raw) == size


@given(signing_keys(), messages)
def test_what_was_signed_verifies(signing: tuple[Algorithm, Any], message: bytes) -> None:
    algorithm, private = signing
    sign = FACTS[algorithm].scheme.signer(private)
    key = PublicKey.from_cryptography(private.public_key(), algorithm=algorithm)
    signature = sign(message)
    key.verify(signature, message)
    if FACTS[algorithm].deterministic:
        assert sign(message) == signature
    for other in Algorithm:
        if FACTS[other].key_type is FACTS[algorithm].key_type and other is not algorithm:
            with pytest.raises(InvalidSignatureError):
                PublicKey.from_cryptography(private.public_key(), algorithm=other).verify(signature, message)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_an_algorithm_that_the_key_does_not_serve(algorithm: Algorithm) -> None:
    key = key_for(algorithm)
    serves = [each for each in Algorithm if FACTS[each].key_type is FACTS[algorithm].key_type]
    for other in set(Algorithm) - set(serves):
        with pytest.raises(UnsupportedAlgorithmError, match=f"does not serve {other}; it serves: {', '.join(serves)}$"):
            PublicKey.from_der(key.to_der(), algorithm=other)


def test_an_rsa_key_is_for_pss_with_sha_256_unless_it_is_said_otherwise() -> None:
    der = key_for(Algorithm.RSA_PKCS1V15_SHA512).to_der()
    assert PublicKey.from_der(der).algorithm is Algorithm.RSA_PSS_SHA256
    assert PublicKey.from_der(der, algorithm=Algorithm.RSA_PSS_SHA384).algorithm is Algorithm.RSA_PSS_SHA384
    assert PublicKey.from_der(der) != key_for(Algorithm.RSA_PKCS1V15_SHA512)


@pytest.mark.parametrize(("to", "back"), ENCODINGS)
def test_algorithm_may_be_named(to: Callable[[PublicKey], Any], back: Callable[..., PublicKey]) -> None:
    assert back(to(KEY), algorithm=Algorithm.ED25519) == KEY
    assert back(to(KEY), algorithm="ed25519").algorithm is Algorithm.ED25519


@pytest.mark.parametrize(("to", "back"), ENCODINGS)
def test_algorithm_that_there_is_not(to: Callable[[PublicKey], Any], back: Callable[..., PublicKey]) -> None:
    with pytest.raises((UnsupportedAlgorithmError, KeyFormatError)):
        back(to(KEY), algorithm="rot13")


def test_raw_of_an_algorithm_that_there_is_not() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="there is no algorithm 'rot13'; use one of: ed25519, "):
        PublicKey.from_raw("rot13", RAW)  # type: ignore[arg-type]


@pytest.mark.parametrize(("to", "back"), OF_BYTES)
@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_encodings_in_buffers(
    to: Callable[[PublicKey], bytes], back: Callable[..., PublicKey], kind: Callable[[bytes], Any]
) -> None:
    assert back(kind(to(KEY))) == KEY


def test_raw_in_a_buffer_with_steps() -> None:
    raw: Any = memoryview(RAW[::-1])[::-1]
    assert PublicKey.from_raw(Algorithm.ED25519, raw) == KEY


def test_openssh_line_with_comment_and_newline() -> None:
    assert PublicKey.from_openssh(KEY.to_openssh() + b" somebody@somewhere\n") == KEY


def test_openssh_is_one_line() -> None:
    assert KEY.to_openssh().startswith(b"ssh-ed25519 ")
    assert b"\n" not in KEY.to_openssh()


@pytest.mark.parametrize("read", [each[1] for each in ENCODINGS if each[1] != PublicKey.from_cryptography])
@pytest.mark.parametrize("encoded", [b"", "", None, 5, [], object(), b"hunter2", "hunter2", 1.5, {1: 2}])
def test_what_is_no_encoding_is_a_key_format_error(read: Callable[[Any], PublicKey], encoded: object) -> None:
    with pytest.raises(KeyFormatError) as caught:
        read(encoded)
    assert_hides("hunter2", caught.value)
    assert chain_of(caught.value) == [caught.value]


@pytest.mark.parametrize("raw", [b"", RAW[:31], RAW + b"\0", "x" * 32, None, 32, b"\0" * 160])
def test_raw_of_another_size_or_type(raw: Any) -> None:
    with pytest.raises(KeyFormatError, match="this is not a raw ed25519 key"):
        PublicKey.from_raw(Algorithm.ED25519, raw)


@given(st.data())
def test_mutated_encodings_are_a_key_or_an_error_of_ours(data: st.DataObject) -> None:
    key = data.draw(public_keys)
    of_bytes = [each for each in encodings_of(key) if isinstance(each[0](key), bytes)]
    to, back = data.draw(st.sampled_from(of_bytes))
    encoded = data.draw(mutated(to(key)))
    try:
        other = back(encoded, algorithm=key.algorithm)
    except (KeyFormatError, UnsupportedAlgorithmError):
        return
    assert back(to(other), algorithm=key.algorithm) == other


@given(st.binary(max_size=200), st.sampled_from(OF_BYTES))
def test_any_bytes_are_an_error_of_ours(encoded: bytes, encoding: tuple[Any, Callable[[bytes], PublicKey]]) -> None:
    with pytest.raises((KeyFormatError, UnsupportedAlgorithmError)):
        encoding[1](encoded)


@given(st.binary(max_size=80), st.sampled_from(Algorithm))
def test_any_raw_bytes_are_a_key_or_an_error_of_ours(raw: bytes, algorithm: Algorithm) -> None:
    try:
        key = PublicKey.from_raw(algorithm, raw)
    except (KeyFormatError, UnsupportedAlgorithmError):
        return
    assert PublicKey.from_raw(algorithm, key.raw) == key


def test_private_keys_are_no_public_keys() -> None:
    private = Ed25519PrivateKey.from_private_bytes(SEED)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for read, encoded in ((PublicKey.from_pem, pem), (PublicKey.from_der, der), (PublicKey.from_openssh, pem)):
        with pytest.raises(KeyFormatError) as caught:
            read(encoded)
        assert chain_of(caught.value) == [caught.value]
    with pytest.raises(UnsupportedAlgorithmError):
        PublicKey.from_cryptography(private)


OTHERS: list[Any] = [
    ec.generate_private_key(ec.SECP224R1()).public_key(),
    ec.generate_private_key(ec.BrainpoolP256R1()).public_key(),
    x25519.X25519PrivateKey.generate().public_key(),
    x448.X448PrivateKey.generate().public_key(),
    dsa.generate_private_key(1024).public_key(),
]


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (ec.generate_private_key(ec.BrainpoolP256R1()).public_key(), "an EC key on brainpoolP256r1"),
        (Ed25519PrivateKey.generate(), "an object of the type Ed25519PrivateKey"),
        (None, "an object of the type NoneType"),
    ],
)
def test_what_is_no_key_for_any_algorithm_is_named(key: Any, what: str) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=f"^{what} serves none"):
        PublicKey.from_cryptography(key)


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: type(other).__name__)
def test_key_of_an_algorithm_that_is_not_supported(other: Any) -> None:
    message = "serves none of the supported algorithms; use a key for one of: ed25519, "
    with pytest.raises(UnsupportedAlgorithmError, match=message):
        PublicKey.from_cryptography(other)
    with pytest.raises(UnsupportedAlgorithmError, match=message):
        PublicKey.from_der(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@given(signing_keys(), messages, st.data())
def test_any_flipped_bit_of_message_or_signature_is_an_invalid_signature(
    signing: tuple[Algorithm, Any], message: bytes, data: st.DataObject
) -> None:
    algorithm, private = signing
    key = PublicKey.from_cryptography(private.public_key(), algorithm=algorithm)
    signature = FACTS[algorithm].scheme.signer(private)(message)
    key.verify(signature, message)
    with pytest.raises(InvalidSignatureError):
        key.verify(data.draw(flipped(signature)), message)
    if message:
        with pytest.raises(InvalidSignatureError):
            key.verify(signature, data.draw(flipped(message)))


@given(st.binary(max_size=80) | st.sampled_from((256, 2420, 3309, 4627)).map(bytes), st.sampled_from(Algorithm))
def test_any_other_bytes_are_an_invalid_signature(signature: bytes, algorithm: Algorithm) -> None:
    with pytest.raises(InvalidSignatureError):
        key_for(algorithm).verify(signature, b"message")


def test_signature_of_another_key() -> None:
    with pytest.raises(InvalidSignatureError, match="does not belong to this message and public key"):
        KEY.verify(bytes.fromhex(RFC_8032[1][2]), b"\x72")


def test_verify_takes_buffers() -> None:
    message = b"message"
    signature = Ed25519Key().private_key.sign(message)
    for kind in (bytearray, memoryview, lambda value: memoryview(value[::-1])[::-1]):
        KEY.verify(kind(signature), kind(message))


@pytest.mark.parametrize(
    ("signature", "message", "name"),
    [("x" * 64, b"", "signature"), (SIGNATURE, "", "message"), (64, b"", "signature"), (SIGNATURE, 0, "message")],
)
def test_verify_of_what_is_no_bytes_is_a_type_error(signature: Any, message: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be bytes, bytearray or memoryview, not"):
        KEY.verify(signature, message)


@pytest.mark.parametrize(("signature", "digest", "name"), [("", bytes(32), "signature"), (b"", "", "digest")])
def test_verify_digest_of_what_is_no_bytes_is_a_type_error(signature: Any, digest: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be bytes, bytearray or memoryview, not str"):
        key_for(Algorithm.ECDSA_P256_SHA256).verify_digest(signature, digest)


def test_equal_keys_are_one_in_a_set() -> None:
    again = PublicKey.from_pem(KEY.to_pem())
    assert again == KEY
    assert {again, KEY} == {KEY}
    other = PublicKey.from_raw(Algorithm.ED25519, bytes.fromhex(RFC_8032[1][0]))
    assert other != KEY
    assert hash(other) != hash(KEY)
    assert object() != KEY


@given(public_keys)
def test_pickle_and_copies(key: PublicKey) -> None:
    for again in (pickle.loads(pickle.dumps(key)), copy.copy(key), copy.deepcopy(key)):
        assert again == key
        assert again.to_jwk() == key.to_jwk()


def test_repr_says_which_key_it_is() -> None:
    assert repr(KEY) == f"PublicKey(ed25519, fingerprint={KEY.fingerprint})"


def test_errors_are_signer_errors() -> None:
    for read in (PublicKey.from_pem, PublicKey.from_der):
        with pytest.raises(SignerError):
            read(b"\x30\x80" * 50_000)
