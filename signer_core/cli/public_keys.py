"""The encodings of a public key that ``signer show`` writes, and how they are recognised again."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from signer_core.cli.failures import one_line
from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError

if TYPE_CHECKING:
    from signer_core.public_key import PublicKey
    from signer_core.signer import Signer


def facts(signer: "Signer") -> dict[str, str | None]:
    """What there is to know of the signer's key, in the order of importance to a reader."""
    key = signer.public_key
    return {
        "backend": signer.backend,
        "key_id": signer.key_id,
        "algorithm": str(key.algorithm),
        "address": key.address.hex() if has_raw(key.algorithm) else None,
        "public_key": (key.raw if has_raw(key.algorithm) else key.to_der()).hex(),
        "fingerprint": key.fingerprint,
    }


def has_raw(algorithm: str) -> bool:
    """Whether keys for the algorithm have a raw form, and so an address."""
    from signer_core.algorithms import FACTS, Algorithm

    return FACTS[Algorithm(algorithm)].key_type.has_raw


def _text(signer: "Signer") -> bytes:
    lines = (f"{name:<12} {one_line(value)}\n" for name, value in facts(signer).items() if value is not None)
    return "".join(lines).encode()


def _json(content: Mapping[str, Any], *, indent: int | None = None) -> bytes:
    import json

    return json.dumps(content, indent=indent).encode() + b"\n"


#: What each format writes of a signer.
FORMATS: Mapping[str, Callable[["Signer"], bytes]] = {
    "text": _text,
    "json": lambda signer: _json(facts(signer), indent=2),
    "pem": lambda signer: signer.public_key.to_pem(),
    "der": lambda signer: signer.public_key.to_der(),
    "jwk": lambda signer: _json(signer.public_key.to_jwk()),
    "openssh": lambda signer: signer.public_key.to_openssh() + b"\n",
    "libp2p": lambda signer: signer.public_key.to_libp2p(),
    "address": lambda signer: signer.address.hex().encode() + b"\n",
}


def parse(encoded: bytes, algorithm: str | None = None) -> "PublicKey":
    """The public key in any encoding of :data:`FORMATS`, save the address; ``algorithm`` where it serves several.

    Raises :class:`KeyFormatError` and :class:`UnsupportedAlgorithmError`.
    """
    from signer_core.public_key import PublicKey

    named: Any = {"algorithm": algorithm}
    text = encoded.strip()
    if re.fullmatch(rb"[0-9a-fA-F]{64}", text):
        raise KeyFormatError(
            "this is an address: a hash, that no signature can be verified with",
            remedy="give the public key itself, as `signer show --format pem` writes it",
        )
    if text.startswith(b"-----BEGIN "):
        return PublicKey.from_pem(encoded, **named)
    if text.startswith(b"{"):
        return _from_json(text, algorithm)
    if text.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return PublicKey.from_openssh(text, **named)
    if re.search(rb"^algorithm .*^public_key ", text, re.MULTILINE | re.DOTALL):
        lines = text.decode("utf-8", "replace").splitlines()
        return _from_facts(
            {name: value.strip() for name, _, value in (line.partition(" ") for line in lines)}, algorithm
        )
    if encoded.startswith(b"\x30"):  # a SEQUENCE of ASN.1
        return PublicKey.from_der(encoded, **named)
    if encoded.startswith(b"\x08"):  # field 1 of libp2p's message, a number
        return PublicKey.from_libp2p(encoded, **named)
    raise _unknown()


def _from_json(text: bytes, algorithm: Any) -> "PublicKey":
    """A JSON Web Key, or what ``show --format json`` writes."""
    import json

    from signer_core.public_key import PublicKey

    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _unknown() from None
    return PublicKey.from_jwk(content, algorithm=algorithm) if "kty" in content else _from_facts(content, algorithm)


def _from_facts(content: Mapping[str, Any], algorithm: str | None) -> "PublicKey":
    from signer_core.algorithms import Algorithm
    from signer_core.public_key import PublicKey

    try:
        of_key, public_key = Algorithm(content["algorithm"]), bytes.fromhex(content["public_key"])
        if has_raw(of_key):
            key = PublicKey.from_raw(of_key, public_key)
        else:
            key = PublicKey.from_der(public_key, algorithm=of_key)
    except (KeyError, TypeError, ValueError):
        raise _unknown() from None
    if algorithm not in (None, key.algorithm):
        raise UnsupportedAlgorithmError(f"this public key is for {key.algorithm}, not for {algorithm}")
    if content.get("fingerprint", key.fingerprint) != key.fingerprint:
        raise KeyFormatError("the public key and the fingerprint beside it belong to different keys")
    return key


def _unknown() -> KeyFormatError:
    return KeyFormatError(
        "this is no encoding of a public key that `signer show` writes",
        remedy="`signer show --format pem` is a safe one",
    )
