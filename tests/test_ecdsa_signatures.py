"""Other forms of ECDSA signatures, against published ones."""

import array
import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import assume, given
from hypothesis import strategies as st

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS
from signer_core.ecdsa_signatures import normalize_low_s, recovery_id, signature_from_p1363, signature_to_p1363
from signer_core.errors import InvalidSignatureError, UnsupportedAlgorithmError
from tests.strategies import messages, mutated, private_key

SECP256K1 = Algorithm.ECDSA_SECP256K1_SHA256
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ECDSA = [each for each in Algorithm if each.startswith("ecdsa-")]


def base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


#: RFC 7515, appendices A.3 and A.4: the key, what is signed, and the signature.
JWS = {
    Algorithm.ECDSA_P256_SHA256: (
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        (
            "eyJhbGciOiJFUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ),
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
    Algorithm.ECDSA_P521_SHA512: (
        {
            "kty": "EC",
            "crv": "P-521",
            "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
            "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
        },
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
        (
            "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7Xdt"
            "AG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
        ),
    ),
}

#: EIP-155, "Example": the private key, the hash that is signed, r, s, and the recovery id (v is 37 = 1 * 2 + 35 + 0).
EIP_155 = (
    b"\x46" * 32,
    bytes.fromhex("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"),
    18515461264373351373200002665853028612451056578545711640558177340181847433846,
    46948507304638947509940763649030358759909902576025900602547168820602576006531,
    0,
)

#: Wycheproof (C2SP), ecdsa_secp256k1_sha256_test.json, "k*G has a large x-coordinate": the key, and the signature.
LARGE_X = (
    (
        "0407310f90a9eae149a08402f54194a0f7b4ac427bf8d9bd6c7681071dc47dc362"
        "26a6d37ac46d61fd600c0bf1bff87689ed117dda6b0e59318ae010a197a26ca0"
    ),
    "30360211014551231950b75fc4402da1722fc9baeb022100fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd036413e",
)


def public_key(private: bytes) -> PublicKey:
    key = FACTS[SECP256K1].key_type.from_private_bytes(private)
    return PublicKey.from_cryptography(key.public_key())


def signed(algorithm: Algorithm, message: bytes, number: int = 1) -> bytes:
    return FACTS[algorithm].scheme.signer(private_key(algorithm, number))(message)


@pytest.mark.parametrize("algorithm", JWS)
def test_p1363_is_that_of_rfc_7515(algorithm: Algorithm) -> None:
    jwk, message, encoded = JWS[algorithm]
    signature = signature_from_p1363(base64url(encoded), algorithm)
    PublicKey.from_jwk(jwk).verify(signature, message.encode())
    assert signature_to_p1363(signature, algorithm) == base64url(encoded)


@given(st.sampled_from(ECDSA), messages)
def test_p1363_leads_back_to_the_signature(algorithm: Algorithm, message: bytes) -> None:
    signature = signed(algorithm, message)
    pair = signature_to_p1363(signature, algorithm)
    assert len(pair) == 2 * {"P-256": 32, "P-384": 48, "P-521": 66}.get(FACTS[algorithm].key_type.jwk["crv"], 32)
    assert signature_from_p1363(pair, algorithm) == signature


@pytest.mark.parametrize("algorithm", [each for each in Algorithm if each not in ECDSA])
def test_p1363_is_for_ecdsa(algorithm: Algorithm) -> None:
    for convert in (signature_to_p1363, signature_from_p1363):
        with pytest.raises(UnsupportedAlgorithmError, match=f"a signature for {algorithm} is no pair of numbers"):
            convert(bytes(64), algorithm)


@pytest.mark.parametrize("size", [0, 63, 65, 96])
def test_p1363_of_another_length(size: int) -> None:
    with pytest.raises(InvalidSignatureError, match="they have 64 bytes together"):
        signature_from_p1363(bytes(size), Algorithm.ECDSA_P256_SHA256)


def test_p1363_of_another_curve_s_signature() -> None:
    signature = utils.encode_dss_signature(2**380, 2**380)
    with pytest.raises(InvalidSignatureError, match="its numbers are too large"):
        signature_to_p1363(signature, Algorithm.ECDSA_P256_SHA256)


@given(st.data())
def test_what_is_no_der_is_an_invalid_signature(data: st.DataObject) -> None:
    signature = data.draw(mutated(utils.encode_dss_signature(*EIP_155[2:4])))
    key = public_key(EIP_155[0])
    for convert in (
        lambda: signature_to_p1363(signature, SECP256K1),
        lambda: normalize_low_s(signature),
        lambda: recovery_id(key, signature, EIP_155[1]),
    ):
        try:
            convert()
        except InvalidSignatureError:
            continue
        utils.decode_dss_signature(signature)


def test_recovery_id_is_that_of_eip_155() -> None:
    private, digest, r, s, recovery = EIP_155
    signature = utils.encode_dss_signature(r, s)
    assert normalize_low_s(signature) == signature
    assert recovery_id(public_key(private), signature, digest) == recovery


def test_higher_s_becomes_the_lower_one_and_the_other_recovery_id() -> None:
    private, digest, r, s, recovery = EIP_155
    high = utils.encode_dss_signature(r, ORDER - s)
    assert recovery_id(public_key(private), high, digest) == 1 - recovery
    assert normalize_low_s(high) == utils.encode_dss_signature(r, s)


@given(st.integers(1, 2**250), messages)
def test_normalised_signatures_verify(number: int, message: bytes) -> None:
    signature = normalize_low_s(signed(SECP256K1, message, number))
    key = PublicKey.from_cryptography(private_key(SECP256K1, number).public_key())
    key.verify(signature, message)
    assert utils.decode_dss_signature(signature)[1] <= ORDER // 2
    assert recovery_id(key, signature, hashlib.sha256(message).digest()) in (0, 1)


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1), st.binary(min_size=32, max_size=32))
def test_recovery_id_tells_the_point_that_the_nonce_made(private: int, nonce: int, digest: bytes) -> None:
    point = ec.derive_private_key(nonce, ec.SECP256K1()).public_key().public_numbers()
    r = point.x % ORDER
    s = pow(nonce, -1, ORDER) * (int.from_bytes(digest, "big") + r * private) % ORDER
    assume(s != 0)
    signature = utils.encode_dss_signature(r, s)
    key = ec.derive_private_key(private, ec.SECP256K1()).public_key()
    key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    expected = point.y % 2 + 2 * (point.x >= ORDER)
    assert recovery_id(PublicKey.from_cryptography(key), signature, digest) == expected


def test_recovery_id_of_a_point_whose_x_is_above_the_order() -> None:
    key = PublicKey.from_raw(SECP256K1, bytes.fromhex(LARGE_X[0]))
    signature = bytes.fromhex(LARGE_X[1])
    key.verify(signature, b"123400")
    assert recovery_id(key, signature, hashlib.sha256(b"123400").digest()) in (2, 3)


@pytest.mark.parametrize("private", [1, 2, ORDER - 1, ORDER - 2])
def test_recovery_of_keys_beside_the_base_point(private: int) -> None:
    # where the points that are added are the same, or each other's opposites
    key = ec.derive_private_key(private, ec.SECP256K1())
    for number in range(16):
        digest = number.to_bytes(32, "big")
        signature = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        assert recovery_id(PublicKey.from_cryptography(key.public_key()), signature, digest) in (0, 1)


def test_recovery_of_another_key_or_digest_is_an_invalid_signature() -> None:
    private, digest, r, s, _ = EIP_155
    signature = utils.encode_dss_signature(r, s)
    with pytest.raises(InvalidSignatureError, match="does not belong to this digest and public key"):
        recovery_id(public_key(b"\x47" * 32), signature, digest)
    with pytest.raises(InvalidSignatureError, match="does not belong to this digest and public key"):
        recovery_id(public_key(private), signature, digest[::-1])


def test_recovery_where_all_cancels_out_is_an_invalid_signature() -> None:
    # The digest is -r times the private number, so that the sum is the point at infinity.
    digest = (-5 * 7 % ORDER).to_bytes(32, "big")
    with pytest.raises(InvalidSignatureError):
        recovery_id(public_key((7).to_bytes(32, "big")), utils.encode_dss_signature(5, 1), digest)


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (2**300, 1)])
def test_numbers_out_of_range_are_an_invalid_signature(r: int, s: int) -> None:
    signature = utils.encode_dss_signature(r, s)
    with pytest.raises(InvalidSignatureError, match="a number is out of range"):
        normalize_low_s(signature)
    with pytest.raises(InvalidSignatureError, match="a number is out of range"):
        recovery_id(public_key(EIP_155[0]), signature, EIP_155[1])


def test_recovery_is_for_secp256k1() -> None:
    key = PublicKey.from_cryptography(private_key(Algorithm.ECDSA_P256_SHA256).public_key())
    with pytest.raises(UnsupportedAlgorithmError, match="not for ecdsa-p256-sha256"):
        recovery_id(key, signed(Algorithm.ECDSA_P256_SHA256, b""), bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_recovery_of_a_digest_of_another_length(size: int) -> None:
    with pytest.raises(ValueError, match=f"a digest has 32 bytes, not {size}"):
        recovery_id(public_key(EIP_155[0]), utils.encode_dss_signature(*EIP_155[2:4]), bytes(size))


@pytest.mark.parametrize("signature", ["text", 5, 10**15, None, [48, 6], array.array("B", b"0")])
def test_signature_of_another_type_is_a_type_error(signature: Any) -> None:
    conversions: list[Callable[[], object]] = [
        lambda: signature_to_p1363(signature, SECP256K1),
        lambda: signature_from_p1363(signature, SECP256K1),
        lambda: normalize_low_s(signature),
        lambda: recovery_id(public_key(EIP_155[0]), signature, EIP_155[1]),
    ]
    for convert in conversions:
        with pytest.raises(TypeError, match="signature must be bytes, bytearray or memoryview, not"):
            convert()


def test_digest_of_another_type_is_a_type_error() -> None:
    digest: Any = "0" * 32
    with pytest.raises(TypeError, match="digest must be bytes, bytearray or memoryview, not str"):
        recovery_id(public_key(EIP_155[0]), utils.encode_dss_signature(*EIP_155[2:4]), digest)


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda each: memoryview(each).cast("I")])
def test_bytes_in_any_buffer(kind: Any) -> None:
    pair = bytes(range(1, 65))
    signature = signature_from_p1363(kind(pair), SECP256K1)
    assert signature == signature_from_p1363(pair, SECP256K1)
    key, digest = public_key(EIP_155[0]), kind(EIP_155[1])
    assert recovery_id(key, utils.encode_dss_signature(*EIP_155[2:4]), digest) == EIP_155[4]


@pytest.mark.parametrize("algorithm", ["ES256K", None])
def test_algorithm_that_there_is_not(algorithm: Any) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=f"there is no algorithm {algorithm!r}; use one of: ed25519, "):
        signature_to_p1363(bytes(64), algorithm)
