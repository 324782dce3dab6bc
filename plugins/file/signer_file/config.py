"""The options of the ``file`` backend."""

import enum
from pathlib import Path

import attrs

from signer_core.algorithms import Algorithm
from signer_core.errors import ConfigError
from signer_core.options import describe
from signer_core.secrets import Secret


class Format(enum.StrEnum):
    """How a key file holds its key."""

    #: ev-node's ``signer.json``, for Ed25519 keys.
    EVNODE = "evnode"
    #: PKCS#8 in PEM, encrypted (RFC 5958, RFC 7468).
    PKCS8 = "pkcs8"


_RSA_BITS = 2048, 3072, 4096


@attrs.frozen(kw_only=True)
class FileConfig:
    """The options of the ``file`` backend."""

    path: Path = attrs.field(
        metadata=describe(
            "the key file, if it ends in .json or .pem; else the directory that holds signer.json or signer.pem"
        )
    )
    passphrase: Secret | None = attrs.field(
        default=None, repr=False, metadata=describe("what the key file is encrypted with")
    )
    # None, not EVNODE: a path that ends in .pem asks for PKCS#8 by itself, and only a format that was written down
    # can contradict it.
    format: Format | None = attrs.field(
        default=None,
        metadata=describe(
            "of a new key: evnode (the default for Ed25519, or by a path in .json) or pkcs8 (for any other, or .pem)"
        ),
    )
    algorithm: Algorithm | None = attrs.field(
        default=None, metadata=describe("of a new key (ed25519 unless set), or which one an existing RSA key is for")
    )
    rsa_bits: int = attrs.field(default=3072, metadata=describe("the size of a new RSA key: 2048, 3072 or 4096 bits"))
    allow_unencrypted: bool = attrs.field(
        default=False, metadata=describe("open a PEM file that is not encrypted, if only its owner can read it")
    )

    @rsa_bits.validator
    def _is_a_size(self, _: object, rsa_bits: int) -> None:
        if rsa_bits not in _RSA_BITS:
            raise ValueError(f"write one of: {', '.join(map(str, _RSA_BITS))}")

    def reveal_passphrase(self) -> bytes:
        """The passphrase, at least one byte. Raises ``ConfigError`` where there is none, or an empty one."""
        if self.passphrase is None:
            raise ConfigError(
                "a passphrase is required, and the option 'passphrase' is missing",
                remedy='set it to "file:PATH", "env:NAME" or, on the command line, "prompt"',
            )
        return not_empty(self.passphrase.reveal())


def not_empty(passphrase: bytes) -> bytes:
    """``passphrase``, if it is not empty.

    An empty one protects nothing, and ev-node's old derivation makes no key of it. Raises ``ConfigError``.
    """
    if not passphrase:
        raise ConfigError("a passphrase is required, and this one is empty", remedy="use one of at least one character")
    return passphrase
