"""The closed enum of signature algorithms, and the one table that says all there is to say of each."""

import enum
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ed25519


class Algorithm(enum.StrEnum):
    """A signature algorithm, named as in configurations and in JSON."""

    ED25519 = "ed25519"


class AlgorithmFacts(NamedTuple):
    """What the core has to know of an algorithm."""

    #: The class of cryptography's public keys that serve it.
    key_class: type[Any]
    #: Signing one message twice gives the same bytes.
    deterministic: bool
    #: (public key, signature, message): raises cryptography's InvalidSignature.
    verify: Callable[[Any, bytes, bytes], None]
    #: The key's shortest standard form, and the way back, which raises ValueError.
    to_raw: Callable[[Any], bytes]
    from_raw: Callable[[bytes], Any]
    #: The members of its JSON Web Key besides the key material, and the member that holds ``raw``.
    jwk: Mapping[str, str]
    jwk_raw_member: str
    #: The number of its key type in libp2p's protobuf.
    libp2p_key_type: int
    #: What is told to who comes with a message that is larger than the key takes.
    why_not_larger: str


FACTS: Mapping[Algorithm, AlgorithmFacts] = {
    # RFC 8032; JWK: RFC 8037; libp2p: specs/peer-ids, KeyType Ed25519
    Algorithm.ED25519: AlgorithmFacts(
        key_class=ed25519.Ed25519PublicKey,
        deterministic=True,
        verify=lambda key, signature, message: key.verify(signature, message),
        to_raw=lambda key: key.public_bytes_raw(),
        from_raw=ed25519.Ed25519PublicKey.from_public_bytes,
        jwk={"kty": "OKP", "crv": "Ed25519"},
        jwk_raw_member="x",
        libp2p_key_type=1,
        why_not_larger=(
            "Ed25519 needs the message whole; signing a hash of it instead (Ed25519ph) is another algorithm, whose "
            "signatures verify only for who expects it, so it is never done silently"
        ),
    ),
}
