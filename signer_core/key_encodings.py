"""Public keys in PEM, DER, OpenSSH's and libp2p's form, as objects of cryptography's.

One key has one encoding of each kind: what would be written otherwise than it was read is refused, so that nobody can
give a key a second fingerprint, or take a certificate for a key. All of it raises
:class:`~signer_core.errors.KeyFormatError`, or :class:`~signer_core.errors.UnsupportedAlgorithmError` for a key of
another kind.
"""

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm

# The two enums that an open key brings along; the public module would add loaders and X.509 to each start.
from cryptography.hazmat.primitives._serialization import Encoding, PublicFormat

from signer_core.algorithms import key_types, serves_none
from signer_core.errors import KeyFormatError, SignerError, UnsupportedAlgorithmError


def parsed(what: str, parse: Callable[[Any], Any], encoded: object) -> Any:
    """``parse(encoded)``, with everything that it makes of bad input as one error."""
    error: SignerError
    try:
        return parse(bytes(encoded) if isinstance(encoded, bytearray | memoryview) else encoded)
    except SignerError:
        raise
    except (ValueError, TypeError):
        error = KeyFormatError(f"this is not a{'n' if what.startswith('O') else ''} {what}")
    except UnsupportedAlgorithm:
        error = UnsupportedAlgorithmError(f"this {what} is of a kind that the installed cryptography does not have")
    # Raised out here, without a __context__: what was given may be a private key, and the parser may quote it.
    raise error


def kind_of(key: object) -> str:
    """What a key that is for none of the algorithms is called."""
    curve = getattr(getattr(key, "curve", None), "name", None)
    return f"an object of the type {type(key).__name__}" if curve is None else f"an EC key on {curve}"


def to_der(key: Any) -> bytes:
    """Its DER SubjectPublicKeyInfo."""
    der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def to_pem(key: Any) -> bytes:
    """The same as a PEM "PUBLIC KEY" block."""
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def to_openssh(key: Any) -> bytes:
    """OpenSSH's one line, of a type of keys that OpenSSH has."""
    line: bytes = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return line


def from_pem(pem: object) -> Any:
    """The key in a block "PUBLIC KEY", whatever stands before and after it."""
    return from_der(parsed("PEM public key", _der_in_pem, pem))


def from_der(der: object) -> Any:
    """The key in a SubjectPublicKeyInfo."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = parsed("DER public key", load_der_public_key, der)
    return _same("DER public key", key, lambda: to_der(key) == der)


def from_openssh(line: object) -> Any:
    """The key in a line with or without a comment."""
    what = "OpenSSH public key"
    key, words = parsed(what, _in_openssh, line)
    return _same(what, key, lambda: to_openssh(key).split() == words)


def from_libp2p(message: object) -> Any:
    """The key in a protobuf."""
    from signer_core import libp2p

    what = "libp2p public key"
    number, data = parsed(what, libp2p.decode, message)
    found = [(each, each.libp2p.is_der) for each in key_types() if each.libp2p and each.libp2p.number == number]
    if not found:
        raise serves_none(f"this {what}")
    key_type, is_der = found[0]
    if is_der:
        key = from_der(data)
        return _same(what, key, lambda: key_type.owns(key))
    key = parsed(what, key_type.from_raw, data)
    return _same(what, key, lambda: key_type.to_raw(key) == data)


def _same(what: str, key: Any, is_same: Callable[[], bool]) -> Any:
    if not is_same():
        raise KeyFormatError(
            f"this {what} has not the usual form",
            remedy="an EC key must name its curve and have its point uncompressed, an RSA key must be plain "
            "rsaEncryption, and a certificate is no key",
        )
    return key


def _der_in_pem(pem: bytes) -> bytes:
    import base64
    import re

    body = re.search(rb"-----BEGIN PUBLIC KEY-----([^-]*)-----END PUBLIC KEY-----", pem)
    if body is None:
        raise ValueError("there is no such block")
    return base64.b64decode(b"".join(body[1].split()), validate=True)


def _in_openssh(line: bytes) -> tuple[Any, list[bytes]]:
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        return load_ssh_public_key(line), line.split(maxsplit=2)[:2]
    except (UnsupportedAlgorithm, NotImplementedError):  # so it says of any two words, and of a compressed point
        raise ValueError from None
