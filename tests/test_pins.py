import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import PublicKey
from signer_core.errors import KeyMismatchError, UnsupportedAlgorithmError
from signer_core.pins import Pins, hex_address, hex_bytes
from tests.keys import OTHER_SEED, Ed25519Key
from tests.strategies import values

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


class WithoutRaw:
    """A public key of an algorithm that has no raw form, as RSA's will be."""

    def to_der(self) -> bytes:
        return b"der"

    @property
    def raw(self) -> bytes:
        raise UnsupportedAlgorithmError("it has none")


def test_key_without_a_raw_form_is_pinned_by_its_der() -> None:
    key: Any = WithoutRaw()
    Pins(public_key=b"der").check(key)
    with pytest.raises(KeyMismatchError, match=f"found {b'der'.hex()}"):
        Pins(public_key=b"raw").check(key)


@given(st.binary(min_size=32, max_size=32))
def test_only_the_key_itself_has_its_address(raw: bytes) -> None:
    key = PublicKey.from_raw(KEY.algorithm, raw)
    Pins(address=hex_address(hashlib.sha256(raw).hexdigest())).check(key)
