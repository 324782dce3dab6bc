"""A Signer as a signer of ``securesystemslib``'s, for TUF metadata (python-tuf), in-toto and DSSE envelopes."""

import os
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote

from cryptography.exceptions import UnsupportedAlgorithm

from signer_core.adapters.cryptography import as_private_key
from signer_core.algorithms import Algorithm
from signer_core.config import read
from signer_core.errors import ConfigError, KeyMismatchError, UnsupportedAlgorithmError
from signer_core.extras import brought_by
from signer_core.factory import open_signer
from signer_core.signer import Signer

with brought_by("signer-core[tuf]", "securesystemslib"):
    from securesystemslib.exceptions import KeyMismatchError as ForeignKeyMismatchError
    from securesystemslib.signer import (
        SIGNER_FOR_URI_SCHEME,
        CryptoSigner,
        Key,
        SecretsHandler,
        Signature,
        SSlibKey,
    )
    from securesystemslib.signer import Signer as ForeignSigner

#: What securesystemslib calls the algorithms (TUF specification, section 4.2; TAP 21 for ML-DSA).
_SCHEMES: Mapping[Algorithm, str] = {
    Algorithm.ED25519: "ed25519",
    Algorithm.ECDSA_P256_SHA256: "ecdsa-sha2-nistp256",
    Algorithm.ECDSA_P384_SHA384: "ecdsa-sha2-nistp384",
    Algorithm.ECDSA_P521_SHA512: "ecdsa-sha2-nistp521",
    Algorithm.RSA_PSS_SHA256: "rsassa-pss-sha256",
    Algorithm.RSA_PSS_SHA384: "rsassa-pss-sha384",
    Algorithm.RSA_PSS_SHA512: "rsassa-pss-sha512",
    Algorithm.RSA_PKCS1V15_SHA256: "rsa-pkcs1v15-sha256",
    Algorithm.RSA_PKCS1V15_SHA384: "rsa-pkcs1v15-sha384",
    Algorithm.RSA_PKCS1V15_SHA512: "rsa-pkcs1v15-sha512",
    Algorithm.ML_DSA_44: "ml-dsa-44/1",
    Algorithm.ML_DSA_65: "ml-dsa-65/1",
    Algorithm.ML_DSA_87: "ml-dsa-87/1",
}

#: All may be written as it is that means nothing else in a URI (RFC 3986).
_URI = re.compile(r"signer-core:(?P<name>([^%?#/]|%[0-9A-Fa-f]{2})*)\?config=(?P<path>([^%?#&]|%[0-9A-Fa-f]{2})+)")


class UnsuitableKeyError(UnsupportedAlgorithmError, ValueError):
    """The key's algorithm, or the public key to be signed for, is none that ``securesystemslib`` has."""


class OtherKeyError(KeyMismatchError, ForeignKeyMismatchError):
    """The signer's key is not the public key that was to be signed for; ``securesystemslib``'s error, too."""


class CoreSigner(ForeignSigner):
    """Signs with a :class:`signer_core.Signer`, and raises what that raises::

        metadata.sign(CoreSigner(signer))

    ``public_key``: the key as the metadata has it, with its ``keyid``; without it :func:`public_key_of` the signer.
    Another key than the signer's is an :class:`OtherKeyError`, one for another scheme an :class:`UnsuitableKeyError`.

    After :func:`register`, ``securesystemslib``'s own ``Signer.from_priv_key_uri`` opens one by its URI,
    ``signer-core:NAME?config=PATH``: the table ``[signers.NAME]`` of a configuration file, or without a name
    ``[signer]``. NAME and PATH are percent-encoded; a relative path starts at the working directory. A secret that is
    configured as "prompt" is what the ``secrets_handler`` returns for the name of its option.
    """

    SCHEME = "signer-core"

    def __init__(self, signer: Signer, public_key: SSlibKey | None = None) -> None:
        own = public_key_of(signer)
        public_key = public_key or own
        if public_key.scheme != own.scheme:
            raise UnsuitableKeyError(
                f"the public key {public_key.keyid} is for {public_key.scheme}, and {signer!r} signs {own.scheme}"
            )
        try:
            self._signing = CryptoSigner(as_private_key(signer), public_key)
        except ForeignKeyMismatchError:
            raise OtherKeyError(f"the key of {signer!r} is not the public key {public_key.keyid}") from None
        except (ValueError, UnsupportedAlgorithm) as error:
            raise UnsuitableKeyError(f"securesystemslib does not sign with {signer!r}: {error}") from error
        self._signer = signer

    @property
    def public_key(self) -> SSlibKey:
        """The public key, in the form that goes into metadata."""
        return self._signing.public_key

    def sign(self, payload: bytes) -> Signature:
        """The signature over ``payload``, with the ``keyid`` of the public key."""
        return self._signing.sign(payload)

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Self:
        """Open the signer of a URI, whose key must be ``public_key``, as :func:`~signer_core.create_signer` does."""
        if not isinstance(public_key, SSlibKey):
            raise UnsuitableKeyError(f"{priv_key_uri} needs an SSlibKey, not a {type(public_key).__name__}")
        name, path = _parsed(priv_key_uri)
        prompt = None if secrets_handler is None else lambda option: secrets_handler(option).encode()
        signer = open_signer(read(path, name=name, prompt=prompt))
        try:
            return cls(signer, public_key)
        except BaseException:
            signer.close()
            raise

    @classmethod
    def import_(cls, config: str | os.PathLike[str], name: str | None = None) -> tuple[str, SSlibKey]:
        """The URI of the signer in a configuration file, and its public key: what to write down of it, once."""
        with open_signer(read(config, name=name)) as signer:
            path = quote(os.fsencode(os.path.abspath(config)))
            return f"{cls.SCHEME}:{quote(name or '', safe='')}?config={path}", public_key_of(signer)

    def close(self) -> None:
        """Close the signer."""
        self._signer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signer.__exit__(kind, error, trace)


def public_key_of(signer: Signer) -> SSlibKey:
    """The signer's public key for metadata, under ``securesystemslib``'s default ``keyid``."""
    algorithm = signer.algorithm
    if algorithm not in _SCHEMES:
        raise UnsuitableKeyError(
            f"securesystemslib has no scheme for {algorithm}", remedy=f"use a key for one of: {', '.join(_SCHEMES)}"
        )
    return SSlibKey.from_crypto(signer.public_key.to_cryptography(), scheme=_SCHEMES[algorithm])


def register() -> None:
    """Let ``securesystemslib``'s ``Signer.from_priv_key_uri`` open URIs that begin with ``signer-core:``."""
    SIGNER_FOR_URI_SCHEME[CoreSigner.SCHEME] = CoreSigner


def _parsed(uri: str) -> tuple[str | None, str]:
    """The name of the signer, and the path of the configuration file."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ConfigError(
            f"{uri!r} names no signer",
            remedy=f"write {CoreSigner.SCHEME}:NAME?config=PATH, with %20 for a space, and so on",
        )
    return unquote(match["name"]) or None, unquote(match["path"], errors="surrogateescape")
