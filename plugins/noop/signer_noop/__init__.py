"""The backend ``noop``: a key in memory, for tests and for trying things out. It protects nothing."""

import logging
import re
from typing import Any

import attrs

from signer_core import Algorithm, Backend, Deadline, PublicKey, SigningKey, hookimpl
from signer_core.algorithms import FACTS
from signer_core.errors import ConfigError
from signer_core.options import describe

_logger = logging.getLogger(__name__)

_RSA_BITS = 2048  # the shortest that is allowed: it is made anew each time


@attrs.frozen(kw_only=True)
class NoopConfig:
    """The options of the backend."""

    seed: str | None = attrs.field(
        default=None,
        repr=False,
        metadata=describe(
            "the private key in hex, 32 bytes for Ed25519, for reproducible tests; a fresh key without it"
        ),
    )
    algorithm: Algorithm = attrs.field(default=Algorithm.ED25519, metadata=describe("what the key signs with"))

    @seed.validator
    def _is_hex(self, _: object, seed: str | None) -> None:
        if seed is not None and not re.fullmatch("([0-9a-fA-F]{2})+", seed, re.ASCII):
            raise ValueError("write bytes in hex, 32 of them for Ed25519")

    def __attrs_post_init__(self) -> None:
        """Refuse a seed that is not as long as a private key for the algorithm."""
        size = FACTS[self.algorithm].key_type.private_size
        if self.seed is not None and len(self.seed) != 2 * (size or 0):
            raise ValueError(
                f"a key for {self.algorithm} is always a fresh one: leave out 'seed'"
                if size is None
                else f"the seed of a key for {self.algorithm} has {size} bytes in hex"
            )


class NoopKey(SigningKey):
    """A private key of cryptography's, in memory."""

    def __init__(self, private_key: Any, algorithm: Algorithm = Algorithm.ED25519, *, reopens: bool) -> None:
        scheme = FACTS[algorithm].scheme
        self._sign = scheme.signer(private_key)
        self._sign_digest = scheme.digest_signer(private_key)
        self._public_key = PublicKey.from_cryptography(private_key.public_key(), algorithm=algorithm)
        self._reopens = reopens

    @property
    def key_id(self) -> str:
        """``noop:`` and the last 32 bytes of the DER public key in hex, which are the whole of an Ed25519 key."""
        return f"noop:{self._public_key.to_der()[-32:].hex()}"

    @property
    def public_key(self) -> PublicKey:
        """The key's public half."""
        return self._public_key

    @property
    def reopens(self) -> bool:
        """A key out of a seed is found again, a fresh one is not."""
        return self._reopens

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """Sign at once."""
        return self._sign(message)

    def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
        """Sign at once, if the algorithm signs digests."""
        return super().sign_digest(digest, deadline) if self._sign_digest is None else self._sign_digest(digest)


@hookimpl
def signer_backend() -> Backend:
    """Describe the backend."""
    return Backend(contract=1, config_class=NoopConfig, algorithms=frozenset(Algorithm))


@hookimpl
def signer_open(config: NoopConfig) -> SigningKey:
    """A fresh key, or the one of the seed."""
    _logger.warning(
        "the backend noop protects nothing: its key lies in memory and in the configuration; only for tests"
    )
    key_type = FACTS[config.algorithm].key_type
    if config.seed is None:
        return NoopKey(key_type.generate(rsa_bits=_RSA_BITS), config.algorithm, reopens=False)
    try:
        private_key = key_type.from_private_bytes(bytes.fromhex(config.seed))
    except ValueError:
        raise ConfigError(
            f"the option 'seed' is no private key for {config.algorithm}",
            remedy="write a number above 0 and below the order of the curve",
        ) from None
    return NoopKey(private_key, config.algorithm, reopens=True)
