import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given

from signer_core import Algorithm, PublicKey
from signer_core.errors import KeyMismatchError
from signer_core.pins import Pins, hex_address, hex_bytes
from tests.keys import OTHER_SEED, Ed25519Key
from tests.strategies import private_key, private_keys, values

KEY = Ed25519Key().public_key
OTHER = Ed25519Key(OTHER_SEED).public_key


@pytest.mark.parametrize(
    "pins",
    [
        Pins(),
        Pins(address=KEY.address),
        Pins(public_key=KEY.raw),
        Pins(public_key=KEY.to_der()),
        Pins(fingerprint=KEY.fingerprint),
        Pins(address=KEY.address, public_key=KEY.raw, fingerprint=KEY.fingerprint),
    ],
)
def test_key_that_was_pinned(pins: Pins) -> None:
    pins.check(KEY)


@pytest.mark.parametrize(
    ("pins", "pin"),
    [
        (Pins(address=OTHER.address), "expected_address"),
        (Pins(address=b""), "expected_address"),
        (Pins(public_key=OTHER.raw), "expected_public_key"),
        (Pins(public_key=OTHER.to_der()), "expected_public_key"),
        (Pins(public_key=KEY.address), "expected_public_key"),
        (Pins(public_key=KEY.raw, address=OTHER.address), "expected_address"),
        (Pins(fingerprint=OTHER.fingerprint), "the pickled signer"),
    ],
)
def test_another_key_than_was_pinned(pins: Pins, pin: str) -> None:
    with pytest.raises(KeyMismatchError, match=f"another key than {pin} asks for"):
        pins.check(KEY)


def test_mismatch_shows_both() -> None:
    with pytest.raises(KeyMismatchError, match=f"expected {OTHER.address.hex()}, found {KEY.address.hex()}"):
        Pins(address=OTHER.address).check(KEY)


def test_truth_is_whether_anything_is_pinned() -> None:
    assert not Pins()
    assert Pins(fingerprint="ab")
    assert Pins(address=b"")


def test_hex_in_either_case_and_with_0x() -> None:
    assert hex_bytes("aBcD") == hex_bytes("0xabcd") == b"\xab\xcd"
    assert hex_bytes(None) is None
    assert hex_address(None) is None


@pytest.mark.parametrize("value", ["", "0x", "abc", "xyz", " ", "０１", 5, b"ab", ["ab"]])
def test_not_hex(value: object) -> None:
    with pytest.raises(ValueError, match="write hex digits"):
        hex_bytes(value)  # type: ignore[arg-type]


def test_address_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="an address has 32 bytes, 64 hex digits; this one has 31 bytes"):
        hex_address("ab" * 31)


@given(values)
def test_any_value_is_an_address_or_a_value_error(value: object) -> None:
    try:
        address = hex_address(value)  # type: ignore[arg-type]
    except ValueError:
        return
    assert address is None or len(address) == 32


RSA = PublicKey.from_cryptography(private_key(Algorithm.RSA_PSS_SHA256).public_key())


def test_key_without_a_raw_form_is_pinned_by_its_der() -> None:
    Pins(public_key=RSA.to_der(), fingerprint=RSA.fingerprint).check(RSA)
    with pytest.raises(KeyMismatchError, match=f"found {RSA.to_der().hex()}"):
        Pins(public_key=KEY.raw).check(RSA)


def test_key_without_an_address_is_not_the_one_that_was_pinned_by_its_address() -> None:
    with pytest.raises(KeyMismatchError, match="found a key that has none, to be pinned by expected_public_key"):
        Pins(address=KEY.address).check(RSA)


@given(private_keys)
def test_only_the_key_itself_has_its_address(private: Ed25519PrivateKey) -> None:
    key = PublicKey.from_cryptography(private.public_key())
    Pins(address=hex_address(hashlib.sha256(key.raw).hexdigest())).check(key)
