"""ECDSA signatures in the forms that others want: JOSE's pair of numbers, and what chains with secp256k1 ask for.

A signer returns DER, as AWS KMS and cryptography do. Signatures and digests may be bytes, bytearray or memoryview.
Malformed signatures are :class:`~signer_core.errors.InvalidSignatureError`, algorithms that are not ECDSA
:class:`~signer_core.errors.UnsupportedAlgorithmError`.
"""

from typing import NamedTuple, TypeAlias

from signer_core.algorithms import FACTS, Algorithm, named
from signer_core.elliptic_curve import EllipticCurve
from signer_core.errors import InvalidSignatureError, UnsupportedAlgorithmError
from signer_core.octets import copied
from signer_core.public_key import PublicKey

Octets: TypeAlias = bytes | bytearray | memoryview

#: secp256k1 (SEC 2, section 2.4.1): the prime, and the order.
_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


class _Point(NamedTuple):
    """A point on secp256k1 in Jacobian coordinates: x/z², y/z³; with z = 0 the one at infinity."""

    x: int
    y: int
    z: int = 1


_INFINITY = _Point(1, 1, 0)
_BASE = _Point(
    0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
    0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
)


def signature_to_p1363(signature: Octets, algorithm: Algorithm) -> bytes:
    """The numbers r and s, each as long as a coordinate, joined: IEEE P1363, JOSE (RFC 7518, section 3.4), WebCrypto.

    ``signature`` is DER, as :meth:`~signer_core.Signer.sign` returns it.
    """
    size = _curve(algorithm).size
    r, s = _numbers(signature)
    try:
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except OverflowError:
        raise InvalidSignatureError(f"this is no signature for {algorithm}: its numbers are too large") from None


def signature_from_p1363(signature: Octets, algorithm: Algorithm) -> bytes:
    """The way back: DER, as :meth:`~signer_core.PublicKey.verify` takes it."""
    size, signature = _curve(algorithm).size, copied(signature, "signature")
    if len(signature) != 2 * size:
        raise InvalidSignatureError(f"this is no pair of numbers for {algorithm}: they have {2 * size} bytes together")
    return _der(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))


def normalize_low_s(signature: Octets) -> bytes:
    """A DER signature by a key on secp256k1, with the lower of the two s that are both right.

    Bitcoin (BIP 146) and Ethereum (EIP-2) refuse the higher one.
    """
    r, s = _numbers(signature)
    _check(r, s)
    return _der(r, min(s, _N - s))


def recovery_id(public_key: PublicKey, signature: Octets, digest: Octets) -> int:
    """Which of the keys that ``signature`` could come from is ``public_key``, from 0 to 3 (SEC 1, section 4.1.6).

    With it who knows only the signature and the digest, as Ethereum does, can find the key. ``signature`` is DER, by a
    key on secp256k1 over ``digest``, 32 bytes; it is taken as it is, so normalise it first. Raises
    :class:`~signer_core.errors.InvalidSignatureError` for that of another key or digest.
    """
    if public_key.algorithm is not Algorithm.ECDSA_SECP256K1_SHA256:
        raise UnsupportedAlgorithmError(f"recovery is for keys on secp256k1, not for {public_key.algorithm}")
    digest = copied(digest, "digest")
    if len(digest) != 32:
        raise ValueError(f"a digest has 32 bytes, not {len(digest)}")
    r, s = _numbers(signature)
    _check(r, s)
    numbers = public_key.to_cryptography().public_numbers()
    inverse = pow(s, -1, _N)
    point = _sum_of_products(
        int.from_bytes(digest, "big") * inverse % _N, _BASE, r * inverse % _N, _Point(numbers.x, numbers.y)
    )
    if point.z == 0:
        raise _of_another()
    inverse = pow(point.z, -1, _P)
    x, y = point.x * inverse**2 % _P, point.y * inverse**3 % _P
    if x % _N != r:
        raise _of_another()
    return y % 2 + 2 * (x >= _N)


def _curve(algorithm: Algorithm) -> EllipticCurve:
    key_type = FACTS[named(algorithm)].key_type
    if not isinstance(key_type, EllipticCurve):
        raise UnsupportedAlgorithmError(f"a signature for {algorithm} is no pair of numbers")
    return key_type


def _numbers(signature: Octets) -> tuple[int, int]:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    signature = copied(signature, "signature")
    try:
        return decode_dss_signature(signature)
    except ValueError:
        raise InvalidSignatureError("this is no ECDSA signature in DER") from None


def _der(r: int, s: int) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    return encode_dss_signature(r, s)


def _check(r: int, s: int) -> None:
    if not (0 < r < _N and 0 < s < _N):
        raise InvalidSignatureError("this is no signature by a key on secp256k1: a number is out of range")


def _of_another() -> InvalidSignatureError:
    return InvalidSignatureError("the signature does not belong to this digest and public key")


# The arithmetic of SEC 1, section 2.2.1. All numbers are public, so that it may take longer for some than for others.
def _sum_of_products(first: int, one: _Point, second: int, other: _Point) -> _Point:
    """``first`` times ``one`` and ``second`` times ``other``, together."""
    summands = (_INFINITY, one, other, _plus(one, other))
    total = _INFINITY
    for bit in reversed(range(256)):
        total = _plus(_doubled(total), summands[(first >> bit & 1) + 2 * (second >> bit & 1)])
    return total


def _doubled(point: _Point) -> _Point:
    x, y, z = point
    square = y * y % _P
    s, m = 4 * x * square % _P, 3 * x * x % _P
    doubled = (m * m - 2 * s) % _P
    return _Point(doubled, (m * (s - doubled) - 8 * square * square) % _P, 2 * y * z % _P)


def _plus(one: _Point, other: _Point) -> _Point:
    if one.z == 0 or other.z == 0:
        return other if one.z == 0 else one
    z1, z2 = one.z * one.z % _P, other.z * other.z % _P
    x1, y1 = one.x * z2 % _P, one.y * z2 * other.z % _P
    dx, dy = (other.x * z1 - x1) % _P, (other.y * z1 * one.z - y1) % _P
    if dx == 0:
        return _doubled(one) if dy == 0 else _INFINITY
    square = dx * dx % _P
    cube, scaled = dx * square % _P, x1 * square % _P
    x = (dy * dy - cube - 2 * scaled) % _P
    return _Point(x, (dy * (scaled - x) - y1 * cube) % _P, dx * one.z * other.z % _P)
