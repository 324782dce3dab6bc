"""What a signer tells of itself and its key."""

from signer_core.algorithms import Algorithm
from signer_core.calls import Calls
from signer_core.current_key import CurrentKey
from signer_core.public_key import PublicKey


def check_name(name: object) -> None:
    """Raise TypeError for what cannot be the name of a signer."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a str or None, not {type(name).__name__}")


class Facts:
    """The properties of :class:`~signer_core.Signer`. None of them asks the backend."""

    __slots__ = ()

    _backend: str | None
    _calls: Calls
    _key: CurrentKey
    _name: str | None

    @property
    def public_key(self) -> PublicKey:
        """The key's public half. Read it once where you need several of its parts: a renewal may change the key."""
        return self._key.open_key.public_key

    @property
    def address(self) -> bytes:
        """SHA-256 of the raw public key, 32 bytes."""
        return self._key.open_key.public_key.address

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of the signatures."""
        return self._key.open_key.public_key.algorithm

    @property
    def key_id(self) -> str:
        """The backend's canonical name of the key."""
        return self._key.open_key.key_id

    @property
    def max_message_bytes(self) -> int | None:
        """The largest message in bytes that the key signs whole; None for no limit."""
        return self._key.open_key.key.max_message_bytes

    @property
    def concurrency(self) -> int:
        """How many signatures are made at once, by awaited calls together and by a batch that names no number."""
        return self._calls.concurrency

    @property
    def backend(self) -> str | None:
        """The backend's name; None for a signer made in code."""
        return self._backend

    @property
    def name(self) -> str | None:
        """The name that the application gave this signer."""
        return self._name

    def __repr__(self) -> str:
        return f"<Signer name={self._name!r} backend={self._backend!r} key_id={self.key_id!r}>"
