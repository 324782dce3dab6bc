"""The backend ``noop``: an Ed25519 key in memory, for tests and for trying things out. It protects nothing."""

import logging
import re

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Algorithm, Backend, Deadline, PublicKey, SigningKey, hookimpl
from signer_core.options import describe

_logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class NoopConfig:
    """The options of the backend."""

    seed: str | None = attrs.field(
        default=None,
        repr=False,
        metadata=describe("the private key, 32 bytes in hex, for reproducible tests; a fresh key without it"),
    )

    @seed.validator
    def _is_hex(self, _: object, seed: str | None) -> None:
        if seed is not None and not re.fullmatch("[0-9a-fA-F]{64}", seed, re.ASCII):
            raise ValueError("write 32 bytes in hex")


class NoopKey(SigningKey):
    """An Ed25519 key in memory."""

    def __init__(self, private_key: Ed25519PrivateKey, *, reopens: bool) -> None:
        self._private_key = private_key
        self._public_key = PublicKey.from_cryptography(private_key.public_key())
        self._reopens = reopens

    @property
    def key_id(self) -> str:
        """``noop:`` and the raw public key in hex."""
        return f"noop:{self._public_key.raw.hex()}"

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
        return self._private_key.sign(message)


@hookimpl
def signer_backend() -> Backend:
    """Describe the backend."""
    return Backend(contract=1, config_class=NoopConfig, algorithms=frozenset({Algorithm.ED25519}))


@hookimpl
def signer_open(config: NoopConfig) -> SigningKey:
    """A fresh key, or the one of the seed."""
    _logger.warning(
        "the backend noop protects nothing: its key lies in memory and in the configuration; only for tests"
    )
    if config.seed is None:
        return NoopKey(Ed25519PrivateKey.generate(), reopens=False)
    return NoopKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(config.seed)), reopens=True)
