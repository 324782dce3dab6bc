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
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm, PublicKey
from signer_core.errors import InvalidSignatureError, KeyFormatError, SignerError, UnsupportedAlgorithmError
from tests.keys import SEED, Ed25519Key, assert_hides, chain_of
from tests.strategies import flipped, messages, mutated, private_keys, public_keys, values

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

# RFC 8037, appendix A.2 and A.3: the same key, and its thumbprint
JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

EVNODE = Path(__file__).parent / "plugins/file/evnode-key-files"

ENCODINGS: list[tuple[Callable[[PublicKey], Any], Callable[..., PublicKey]]] = [
    (PublicKey.to_pem, PublicKey.from_pem),
    (PublicKey.to_der, PublicKey.from_der),
    (PublicKey.to_jwk, PublicKey.from_jwk),
    (PublicKey.to_openssh, PublicKey.from_openssh),
    (PublicKey.to_libp2p, PublicKey.from_libp2p),
    (PublicKey.to_cryptography, PublicKey.from_cryptography),
]
OF_BYTES = [each for each in ENCODINGS if each[1] not in (PublicKey.from_jwk, PublicKey.from_cryptography)]


@pytest.mark.parametrize(("raw", "message", "signature"), RFC_8032)
def test_verify_the_signatures_of_rfc_8032(raw: str, message: str, signature: str) -> None:
    key = PublicKey.from_raw(Algorithm.ED25519, bytes.fromhex(raw))
    key.verify(bytes.fromhex(signature), bytes.fromhex(message))


def test_jwk_is_that_of_rfc_8037() -> None:
    assert KEY.to_jwk() == JWK
    assert PublicKey.from_jwk(JWK) == KEY


def test_jwk_has_the_members_of_the_thumbprint_of_rfc_8037() -> None:
    digest = hashlib.sha256(json.dumps(KEY.to_jwk(), sort_keys=True, separators=(",", ":")).encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == THUMBPRINT


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


def test_libp2p_is_that_of_the_peer_ids_of_its_specification() -> None:
    # https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md, test vectors, Ed25519
    encoded = bytes.fromhex("080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e")
    key = PublicKey.from_libp2p(encoded)
    assert key.raw.hex() == "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
    assert key.to_libp2p() == encoded


def test_address_is_sha_256_of_the_raw_key() -> None:
    assert KEY.address.hex() == hashlib.sha256(RAW).hexdigest()
    assert KEY.raw == RAW


@given(public_keys)
def test_each_encoding_leads_back_to_the_key(key: PublicKey) -> None:
    for to, back in ENCODINGS:
        again = back(to(key))
        assert again == key
        assert to(again) == to(key) or to is PublicKey.to_cryptography
    assert PublicKey.from_raw(key.algorithm, key.raw) == key


@pytest.mark.parametrize(("to", "back"), ENCODINGS)
def test_algorithm_may_be_named(to: Callable[[PublicKey], Any], back: Callable[..., PublicKey]) -> None:
    assert back(to(KEY), algorithm=Algorithm.ED25519) == KEY
    assert back(to(KEY), algorithm="ed25519").algorithm is Algorithm.ED25519


@pytest.mark.parametrize(("to", "back"), ENCODINGS)
def test_algorithm_that_there_is_not(to: Callable[[PublicKey], Any], back: Callable[..., PublicKey]) -> None:
    with pytest.raises((UnsupportedAlgorithmError, KeyFormatError)):
        back(to(KEY), algorithm="rot13")


def test_raw_of_an_algorithm_that_there_is_not() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="there is no algorithm 'rot13'; use one of: ed25519"):
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
def test_mutated_encodings_are_a_key_or_a_key_format_error(data: st.DataObject) -> None:
    key = data.draw(public_keys)
    to, back = data.draw(st.sampled_from(OF_BYTES))
    encoded = data.draw(mutated(to(key)))
    try:
        key = back(encoded)
    except (KeyFormatError, UnsupportedAlgorithmError):
        return
    assert len(key.raw) == 32


@given(st.binary(max_size=200), st.sampled_from(OF_BYTES))
def test_any_bytes_are_a_key_format_error(encoded: bytes, encoding: tuple[Any, Callable[[bytes], PublicKey]]) -> None:
    with pytest.raises(KeyFormatError):
        encoding[1](encoded)


@given(st.dictionaries(st.sampled_from(("kty", "crv", "x", "alg", "d", "use")) | st.text(max_size=3), values))
def test_any_json_web_key_is_a_key_or_an_error_of_ours(jwk: dict[str, Any]) -> None:
    try:
        assert PublicKey.from_jwk(jwk).to_jwk().items() <= jwk.items()
    except (KeyFormatError, UnsupportedAlgorithmError):
        pass


@pytest.mark.parametrize(
    "change",
    [
        {"kty": None},
        {"kty": 1},
        {"x": None},
        {"x": JWK["x"] + "="},
        {"x": JWK["x"][:-1]},
        {"x": JWK["x"][:-1] + "p"},
        {"x": JWK["x"].replace("_", "/")},
        {"x": JWK["x"] + "\n"},
        {"x": "é" * 43},
        {"x": "A" * 1_000_000},
        {"x": JWK["x"].encode()},
    ],
    ids=range(11),
)
def test_json_web_key_that_is_not_right(change: dict[str, Any]) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.from_jwk({**JWK, **change})


@pytest.mark.parametrize("change", [{"kty": "EC"}, {"crv": "X25519"}, {"crv": "ed25519"}], ids=str)
def test_json_web_key_of_another_algorithm(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="this JSON Web Key serves none"):
        PublicKey.from_jwk({**JWK, **change})


def test_json_web_key_with_other_members() -> None:
    assert PublicKey.from_jwk({**JWK, "kid": "1", "alg": "EdDSA", "use": "sig"}) == KEY


def test_private_json_web_key_is_refused_and_not_shown() -> None:
    with pytest.raises(KeyFormatError, match="holds a private key") as caught:
        PublicKey.from_jwk({**JWK, "d": "hunter2"})
    assert_hides("hunter2", caught.value)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 35, 37, 132, 164, 164 + 128, 1_000_000])
def test_libp2p_of_another_size(size: int) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.from_libp2p((KEY.to_libp2p()[:4] + b"\0" * size)[:size])


def test_libp2p_of_another_type_of_key() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="this libp2p public key serves none"):
        PublicKey.from_libp2p(b"\x08\x00" + KEY.to_libp2p()[2:])


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
    rsa.generate_private_key(65537, 2048).public_key(),
    ec.generate_private_key(ec.SECP384R1()).public_key(),
    x25519.X25519PrivateKey.generate().public_key(),
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: type(other).__name__)
def test_key_of_an_algorithm_that_is_not_supported(other: Any) -> None:
    message = "serves none of the supported algorithms; use a key for one of: ed25519"
    with pytest.raises(UnsupportedAlgorithmError, match=message):
        PublicKey.from_cryptography(other)
    with pytest.raises(UnsupportedAlgorithmError, match=message):
        PublicKey.from_der(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@given(private_keys, messages, st.data())
def test_any_flipped_bit_of_message_or_signature_is_an_invalid_signature(
    private: Ed25519PrivateKey, message: bytes, data: st.DataObject
) -> None:
    key = PublicKey.from_cryptography(private.public_key())
    signature = private.sign(message)
    key.verify(signature, message)
    with pytest.raises(InvalidSignatureError):
        key.verify(data.draw(flipped(signature)), message)
    if message:
        with pytest.raises(InvalidSignatureError):
            key.verify(signature, data.draw(flipped(message)))


@given(st.binary(max_size=80))
def test_any_other_bytes_are_an_invalid_signature(signature: bytes) -> None:
    with pytest.raises(InvalidSignatureError):
        KEY.verify(signature, b"message")


def test_signature_of_another_key() -> None:
    with pytest.raises(InvalidSignatureError, match="does not belong to this message and public key"):
        KEY.verify(bytes.fromhex(RFC_8032[1][2]), b"\x72")


def test_verify_takes_buffers() -> None:
    message = b"message"
    signature = Ed25519Key().private_key.sign(message)
    for kind in (bytearray, memoryview, lambda value: memoryview(value[::-1])[::-1]):
        KEY.verify(kind(signature), kind(message))


@pytest.mark.parametrize(("signature", "message"), [("x" * 64, b""), (SIGNATURE, ""), (64, b""), (SIGNATURE, 0)])
def test_verify_of_what_is_no_bytes_is_a_type_error(signature: Any, message: Any) -> None:
    with pytest.raises(TypeError, match="must be bytes, bytearray or memoryview, not"):
        KEY.verify(signature, message)


def test_equal_keys_are_one_in_a_set() -> None:
    again = PublicKey.from_pem(KEY.to_pem())
    assert again == KEY
    assert {again, KEY} == {KEY}
    assert PublicKey.from_raw(Algorithm.ED25519, bytes.fromhex(RFC_8032[1][0])) != KEY
    assert object() != KEY


@given(public_keys)
def test_pickle_and_copies(key: PublicKey) -> None:
    for again in (pickle.loads(pickle.dumps(key)), copy.copy(key), copy.deepcopy(key)):
        assert again == key
        assert again.raw == key.raw


def test_repr_says_which_key_it_is() -> None:
    assert repr(KEY) == f"PublicKey(ed25519, fingerprint={KEY.fingerprint})"


def test_errors_are_signer_errors() -> None:
    for read in (PublicKey.from_pem, PublicKey.from_der):
        with pytest.raises(SignerError):
            read(b"\x30\x80" * 50_000)
