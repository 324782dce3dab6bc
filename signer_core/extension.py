"""Extension and SignEvent: what an extension says of itself, and what it is told of each signature."""

import functools
from typing import Any

import attrs

from signer_core.backend import is_bool
from signer_core.public_key import PublicKey


@attrs.frozen(kw_only=True)
class Extension:
    """What the core must know of an extension before it attaches it."""

    #: The version of this contract that the plugin was written for: a literal, not ``CONTRACT``.
    contract: int
    #: The frozen attrs class of its options.
    config_class: type[Any]
    #: Without the message there is nothing to decide: signing of digests, and so of files that are larger than memory
    #: should hold, is refused in its name, without asking or telling it.
    needs_message: bool = attrs.field(default=True, validator=is_bool)


@attrs.frozen(eq=False, slots=False)  # one is made for each signature, which is quicker without slots and keywords
class SignEvent:
    """One signature that is asked for, as extensions see it."""

    #: The signer's name; None where it has none.
    signer: str | None
    #: The backend's name; None for a key that was opened in code.
    backend: str | None
    #: The backend's name of the key that signs this call, from its first hook to its last.
    key_id: str
    #: That key's public half.
    public_key: PublicKey
    #: The message, the very bytes that are signed; None where only a digest is.
    message: bytes | None = attrs.field(repr=False)
    #: Seconds since the epoch.
    started_at: float
    #: Where only a digest is signed, its name and its bytes: "sha256", or what else
    #: :meth:`~signer_core.PublicKey.hasher` has for a name.
    prehashed: tuple[str, bytes] | None = None
    #: The message's size in bytes, where it is known.
    size: int | None = None

    @functools.cached_property
    def digest(self) -> bytes | None:
        """SHA-256 of the message, computed once; None where there is no message, and no such digest of it either."""
        if self.message is not None:
            import hashlib

            return hashlib.sha256(self.message).digest()
        return self.prehashed[1] if self.prehashed is not None and self.prehashed[0] == "sha256" else None
