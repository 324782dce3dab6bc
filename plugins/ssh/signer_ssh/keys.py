"""Public keys and signatures as SSH has them (RFC 4253, 5656, 8332, 8709).

Where a signer's ECDSA signature is DER, SSH has two numbers; all else goes into a frame with the algorithm's name.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS, served_by
from signer_core.elliptic_curve import EllipticCurve
from signer_core.errors import SignerError, UnsupportedAlgorithmError
from signer_ssh.errors import MalformedError
from signer_ssh.wire import Reader, mpint, string, text

#: The algorithms that OpenSSH knows, by the name that stands in a signature. RSA with SHA-1, ``ssh-rsa``, is none.
NAMES: Mapping[Algorithm, str] = {
    Algorithm.ED25519: "ssh-ed25519",
    Algorithm.ECDSA_P256_SHA256: "ecdsa-sha2-nistp256",
    Algorithm.ECDSA_P384_SHA384: "ecdsa-sha2-nistp384",
    Algorithm.ECDSA_P521_SHA512: "ecdsa-sha2-nistp521",
    Algorithm.RSA_PKCS1V15_SHA256: "rsa-sha2-256",
    Algorithm.RSA_PKCS1V15_SHA512: "rsa-sha2-512",
}
#: How the kinds of those keys begin that are on security tokens (PROTOCOL.u2f in OpenSSH).
_TOKEN = b"sk-"
_ALGORITHMS = {name: algorithm for algorithm, name in NAMES.items()}


def algorithm_name(algorithm: Algorithm) -> str:
    """SSH's name of ``algorithm``. Raises :class:`~signer_core.errors.UnsupportedAlgorithmError`."""
    try:
        return NAMES[algorithm]
    except KeyError:
        remedy = f"SSH has these: {', '.join(NAMES)}"
        if others := [each for each in served_by(FACTS[algorithm].key_type) if each in NAMES]:
            remedy = f'set algorithm = "{others[-1]}" in its table: SSH signs with such keys so'
        raise UnsupportedAlgorithmError(f"SSH has no signatures with {algorithm}", remedy=remedy) from None


def encode_key(public_key: PublicKey) -> bytes:
    """The key as it stands in SSH's messages."""
    return base64.b64decode(public_key.to_openssh().split()[1])


def encode_signature(algorithm: Algorithm, signature: bytes) -> bytes:
    """A signer's ``signature`` as it stands in SSH's messages."""
    if isinstance(FACTS[algorithm].key_type, EllipticCurve):
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        signature = b"".join(map(mpint, decode_dss_signature(signature)))
    return text(algorithm_name(algorithm)) + string(signature)


def verify(key: bytes, signature: bytes, message: bytes) -> None:
    """Return if ``signature`` was made over ``message`` with ``key``, both as SSH has them.

    Else raise :class:`~signer_core.errors.InvalidSignatureError`; for what is neither, or of a kind that is not in
    :data:`NAMES`, :class:`MalformedError`.
    """
    algorithm, raw = _decode_signature(signature)
    _decode_key(key, algorithm).verify(raw, message)


def check_key(encoded: bytes) -> None:
    """Return if it is a public key as SSH has it, of whatever kind, or a certificate; else :class:`MalformedError`."""
    _load(encoded)


def _decode_key(encoded: bytes, algorithm: Algorithm) -> PublicKey:
    """The key, be it in a certificate, as that of a host may be."""
    key = _load(encoded)
    try:
        if encoded.startswith(_TOKEN, 4):  # it signs more than the message
            raise ValueError
        return PublicKey.from_cryptography(key, algorithm=algorithm)
    except (ValueError, SignerError):
        raise MalformedError(f"there is no public key of the kind that signs with {algorithm}") from None


def _load(encoded: bytes) -> Any:
    """The key, as cryptography has it."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        SSHCertificate,
        load_ssh_public_identity,
    )

    kind = Reader(encoded).string()
    try:
        if not re.fullmatch(rb"[\w.@-]+", kind):  # what follows a space would be read instead of the key
            raise ValueError
        found = load_ssh_public_identity(kind + b" " + base64.b64encode(encoded))
        if isinstance(found, SSHCertificate):
            return found.public_key()
        line = found.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        if base64.b64decode(line.split()[1]) != encoded and not kind.startswith(_TOKEN):
            raise ValueError
    except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm):  # the third of a compressed point
        raise MalformedError(f"there is no public key of the kind {kind[:64]!r}") from None
    return found


def _decode_signature(encoded: bytes) -> tuple[Algorithm, bytes]:
    reader = Reader(encoded)
    name, signature = reader.text(), reader.string()
    reader.end()
    algorithm = _ALGORITHMS.get(name)
    if algorithm is None:
        raise MalformedError(f"a signature is made with {name!r}, which is not known here")
    if isinstance(FACTS[algorithm].key_type, EllipticCurve):
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        numbers = Reader(signature)
        signature = encode_dss_signature(numbers.mpint(), numbers.mpint())
        numbers.end()
    return algorithm, signature
