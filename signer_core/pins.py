"""Pins: what must be true of a key before anything is signed with it."""

from typing import NamedTuple

from signer_core.errors import KeyMismatchError, UnsupportedAlgorithmError
from signer_core.public_key import PublicKey


def hex_bytes(value: str | None) -> bytes | None:
    """A converter for hex digits, in either case, with or without 0x; raises ValueError."""
    if value is None:
        return None
    try:
        parsed = bytes.fromhex(value.removeprefix("0x"))
    except (ValueError, TypeError, AttributeError):
        parsed = b""
    if not parsed:
        raise ValueError("write hex digits")
    return parsed


def hex_address(value: str | None) -> bytes | None:
    """A converter for an address, 32 bytes in hex; raises ValueError."""
    address = hex_bytes(value)
    if address is not None and len(address) != 32:
        raise ValueError(f"an address has 32 bytes, 64 hex digits; this one has {len(address)} bytes")
    return address


class Pins(NamedTuple):
    """The one key that a signer may have; every pin that is not None must fit."""

    #: SHA-256 of the raw public key, 32 bytes.
    address: bytes | None = None
    #: The raw public key, or its DER SubjectPublicKeyInfo.
    public_key: bytes | None = None
    #: Hex SHA-256 of the DER SubjectPublicKeyInfo.
    fingerprint: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is pinned."""
        return any(pin is not None for pin in (self.address, self.public_key, self.fingerprint))

    def check(self, public_key: PublicKey) -> None:
        """Raise :class:`KeyMismatchError` if another key was pinned."""
        if self.public_key is not None and self.public_key not in (public_key.to_der(), _raw(public_key)):
            raise _mismatch(
                "expected_public_key", self.public_key.hex(), (_raw(public_key) or public_key.to_der()).hex()
            )
        if self.address is not None and _raw(public_key) is None:
            found = "a key that has none, to be pinned by expected_public_key"
            raise _mismatch("expected_address", self.address.hex(), found)
        if self.address is not None and self.address != public_key.address:
            raise _mismatch("expected_address", self.address.hex(), public_key.address.hex())
        if self.fingerprint is not None and self.fingerprint != public_key.fingerprint:
            raise _mismatch("the pickled signer", self.fingerprint, public_key.fingerprint)


def _raw(public_key: PublicKey) -> bytes | None:
    try:
        return public_key.raw
    except UnsupportedAlgorithmError:
        return None


def _mismatch(pin: str, expected: str, found: str) -> KeyMismatchError:
    return KeyMismatchError(
        f"this is another key than {pin} asks for: expected {expected}, found {found}",
        remedy="look whether the configuration names the right key; change the pin only if the new key is meant",
    )
