"""A Signer as a private key of ``cryptography``'s, for all that takes one: its X.509, PyJWT, securesystemslib."""

import abc
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signer_core.adapters.spelling import spelled
from signer_core.algorithms import FACTS
from signer_core.errors import KeyMismatchError, UnsupportedAlgorithmError
from signer_core.public_key import PublicKey
from signer_core.signer import Signer


class UnsupportedUseError(UnsupportedAlgorithmError, UnsupportedAlgorithm):
    """The key does not do what it was asked for; also what ``cryptography`` raises where one of its own does not."""


def as_private_key(signer: Signer) -> Any:
    """The signer's key in the form in which ``cryptography`` has private keys::

        key = as_private_key(signer)
        certificate = builder.public_key(key.public_key()).sign(key, None)

    It is an ``Ed25519PrivateKey``, an ``EllipticCurvePrivateKey``, an ``RSAPrivateKey``, or an ``MLDSA44PrivateKey``,
    ``MLDSA65PrivateKey`` or ``MLDSA87PrivateKey``. Its ``sign`` is :meth:`~signer_core.Signer.sign`, with the same
    errors and the configured budget; of a digest (``Prehashed``) or a μ it is
    :meth:`~signer_core.Signer.sign_digest`. It signs with the signer's algorithm and no other: another hash or padding
    is an :class:`UnsupportedUseError`, and so is all else that a private key can be asked for, exports above all.

    The signer stays the caller's, to be closed once the key is needed no more. A renewal that gives the signer another
    key ends this one: it then raises :class:`~signer_core.errors.KeyMismatchError`.
    """
    if not isinstance(signer, Signer):
        raise TypeError(f"a private key is made of a Signer, not of {type(signer).__name__}")
    public_key = signer.public_key
    key = public_key.to_cryptography()
    made: type[_HeldKey] = next(made for type_, made in _CLASSES if isinstance(key, type_))
    return made(signer, public_key)


class _HeldKey:
    """One key, for as long as the signer has it: so it has one public key, as those who ask for it expect."""

    def __init__(self, signer: Signer, public_key: PublicKey) -> None:
        self._signer = signer
        self._public_key = public_key
        #: What ``sign`` has to be told besides the message.
        self._arguments = spelled(*FACTS[public_key.algorithm].scheme.sign_arguments())

    def public_key(self) -> Any:
        """The public half, an object of ``cryptography``'s."""
        return self._public_key.to_cryptography()

    def _sign(self, message: Any) -> bytes:
        return self._ask(self._signer.sign, message)

    def _sign_digest(self, digest: Any) -> bytes:
        try:
            return self._ask(self._signer.sign_digest, digest)
        except UnsupportedAlgorithmError as error:
            raise UnsupportedUseError(error.message, remedy=error.remedy) from error

    def _sign_hashed(self, data: Any, hash_: Any, *arguments: Any) -> bytes:
        asked = spelled(*arguments)
        if asked != self._arguments:
            raise self._refused(f"does not sign with {asked}", f"pass {self._arguments}")
        return self._sign_digest(data) if isinstance(hash_, Prehashed) else self._sign(data)

    def _ask(self, sign: Callable[[Any], bytes], content: Any) -> bytes:
        self._check_key()  # so that no other key signs, and again, since a renewal may come in between
        signature = sign(content)
        self._check_key()
        return signature

    def _check_key(self) -> None:
        if self._signer.public_key != self._public_key:
            raise KeyMismatchError(f"{self._signer!r} has another key since it was renewed", remedy="ask for it anew")

    def _refused(self, what: str, remedy: str) -> UnsupportedUseError:
        return UnsupportedUseError(f"a signer's key for {self._public_key.algorithm} {what}", remedy=remedy)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __repr__(self) -> str:
        return f"<private key of {self._signer!r}>"


def _refusing_the_rest(key_class: Any) -> Any:
    """Make the class refuse what its base class wants it to do besides.

    That may be more tomorrow: a release of ``cryptography`` that asks for more must not keep these keys from signing.
    """
    for name in key_class.__abstractmethods__:
        refuse = _refusal(name)
        setattr(key_class, name, property(refuse) if isinstance(getattr(key_class, name), property) else refuse)
    return abc.update_abstractmethods(key_class)


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: _HeldKey, *_: Any, **__: Any) -> Any:
        raise self._refused(f"has no {name}", "it signs where it is, and does nothing else")

    return refuse


@_refusing_the_rest
class _Ed25519Key(_HeldKey, ed25519.Ed25519PrivateKey):
    def sign(self, data: Any) -> bytes:
        return self._sign(data)


@_refusing_the_rest
class _EllipticCurveKey(_HeldKey, ec.EllipticCurvePrivateKey):
    @property
    def curve(self) -> Any:
        return self.public_key().curve

    @property
    def key_size(self) -> Any:
        return self.public_key().key_size

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        return self._sign_hashed(data, getattr(signature_algorithm, "algorithm", None), signature_algorithm)


@_refusing_the_rest
class _RsaKey(_HeldKey, rsa.RSAPrivateKey):
    @property
    def key_size(self) -> Any:
        return self.public_key().key_size

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        return self._sign_hashed(data, algorithm, padding, algorithm)


class _MlDsaKey(_HeldKey):
    def sign(self, data: Any, context: Any = None) -> bytes:
        if context is not None and len(context):
            raise self._refused("does not sign with a context", "leave it out")
        return self._sign(data)

    def sign_mu(self, mu: Any) -> bytes:
        return self._sign_digest(mu)


@_refusing_the_rest
class _MlDsa44Key(_MlDsaKey, mldsa.MLDSA44PrivateKey):
    pass


@_refusing_the_rest
class _MlDsa65Key(_MlDsaKey, mldsa.MLDSA65PrivateKey):
    pass


@_refusing_the_rest
class _MlDsa87Key(_MlDsaKey, mldsa.MLDSA87PrivateKey):
    pass


#: Each type of public keys, and what the private key becomes.
_CLASSES: tuple[tuple[type, type[Any]], ...] = (
    (ed25519.Ed25519PublicKey, _Ed25519Key),
    (ec.EllipticCurvePublicKey, _EllipticCurveKey),
    (rsa.RSAPublicKey, _RsaKey),
    (mldsa.MLDSA44PublicKey, _MlDsa44Key),
    (mldsa.MLDSA65PublicKey, _MlDsa65Key),
    (mldsa.MLDSA87PublicKey, _MlDsa87Key),
)
