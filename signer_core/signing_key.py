"""SigningKey: what an author of a backend writes, the smallest thing that can sign."""

import abc

from signer_core.algorithms import prehash_of
from signer_core.deadline import Deadline
from signer_core.errors import UnsupportedAlgorithmError
from signer_core.public_key import PublicKey


class SigningKey(abc.ABC):
    """One key that can sign. Safe to call from several threads. Its ``key_id`` and ``public_key`` never change."""

    @property
    @abc.abstractmethod
    def key_id(self) -> str:
        """The backend's canonical name of the key: a path, an ARN."""

    @property
    @abc.abstractmethod
    def public_key(self) -> PublicKey:
        """The key's public half, known once the key is open."""

    @abc.abstractmethod
    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """One attempt to sign; one that waits must not outlast the deadline.

        Raises :class:`~signer_core.errors.SignError`; its ``retryable`` and ``retry_after`` tell the core whether and
        when to try again. Any other exception becomes :class:`~signer_core.errors.PluginContractError`.
        """

    def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
        """One attempt to sign a message of which only the digest is given.

        The digest is as :meth:`~signer_core.PublicKey.hasher` makes it, and has the right length. Otherwise all is as
        in :meth:`sign`, the signature too. Optional: a key that signs no digests, or none with its algorithm, leaves it
        as it is here, which raises :class:`~signer_core.errors.UnsupportedAlgorithmError`.
        """
        prehash_of(self.public_key.algorithm)  # if no key with the algorithm does, that is the reason
        raise UnsupportedAlgorithmError("this key signs no digests", remedy="sign the message itself")

    @property
    def max_message_bytes(self) -> int | None:
        """The largest message in bytes that the key signs; None for no limit."""
        return None

    @property
    def concurrency(self) -> int | None:
        """How many signatures it makes at once without one waiting for another, such as its number of connections.

        As many threads serve :meth:`Signer.sign_async() <signer_core.Signer.sign_async>` and batches. None for as many
        as the machine has cores, or 64 for a key of a remote backend. Asked once, when the key is opened.
        """
        return None

    @property
    def renew_after(self) -> float | None:
        """The seconds after which the core asks :meth:`renew`; None for never."""
        return None

    @property
    def reopens(self) -> bool:
        """Whether opening the same configuration again gives this key; a signer of one that does not is not pickled."""
        return True

    def renew(self, deadline: Deadline) -> "SigningKey":
        """This key where its name still means it, else a new object for the key that it means now."""
        return self

    def close(self) -> None:  # noqa: B027 — nothing to give back is the usual case
        """Give back what the key holds. The core calls it once, when no call uses the key any more."""
