"""A key that a signer gets, at its opening or by a renewal: checked, and its ways to a signature laid."""

from typing import TYPE_CHECKING, NamedTuple

from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import UnsupportedAlgorithmError
from signer_core.extensions import Extensions
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import Broken, check_key
from signer_core.open_key import OpenKey
from signer_core.pins import Pins
from signer_core.way import Way, prehash_signed_by, way_to_sign, way_to_sign_digest

if TYPE_CHECKING:
    from signer_core.hedging import Hedge, Hedging


class Acceptance(NamedTuple):
    """What one signer asks of each of its keys, and what stands between a call and the key."""

    #: As events call the signer and its backend.
    signer: str | None
    backend: str | None
    pins: Pins
    attempts: Attempts
    verify: bool
    extensions: Extensions
    broken: Broken
    #: None where no attempt gets a second one beside it.
    hedging: "Hedging | None" = None

    def opened(self, key: SigningKey) -> OpenKey:
        """``key`` in use. Raises :class:`PluginContractError` and :class:`KeyMismatchError`, and :class:`ConfigError`
        where its algorithm cannot be hedged.
        """
        public_key = check_key(key, self.broken).public_key
        self.pins.check(public_key)
        hedge = None if self.hedging is None else self.hedging.of(public_key.algorithm)
        way = way_to_sign(key, self.attempts, verify=self.verify, broken=self.broken, hedge=hedge)
        watched = self.extensions.watched(way, key, signer=self.signer, backend=self.backend)
        opened = OpenKey(key, watched, self._way_of_digests(key, hedge), self.broken)
        if hedge is not None:
            hedge.key = opened
        return opened

    def _way_of_digests(self, key: SigningKey, hedge: "Hedge | None") -> Way:
        try:
            prehash = prehash_signed_by(key, self.backend)
        except UnsupportedAlgorithmError as error:
            return _refusing(error.message, error.remedy)
        way = way_to_sign_digest(key, self.attempts, verify=self.verify, broken=self.broken, hedge=hedge)
        watched = self.extensions.watched(way, key, signer=self.signer, backend=self.backend, prehash=prehash)

        def checked(digest: bytes, deadline: Deadline) -> bytes:
            prehash.check(digest)
            return watched(digest, deadline)

        return checked


def _refusing(message: str, remedy: str | None) -> Way:
    def refusing(_: bytes, __: Deadline) -> bytes:
        raise UnsupportedAlgorithmError(message, remedy=remedy)

    return refusing
