"""A key that a signer gets, at its opening or by a renewal: checked, and its ways to a signature laid."""

from typing import NamedTuple

from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import UnsupportedAlgorithmError
from signer_core.extensions import Extensions
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import Broken, check_key
from signer_core.open_key import OpenKey
from signer_core.pins import Pins
from signer_core.way import Way, prehash_signed_by, way_to_sign, way_to_sign_digest


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

    def opened(self, key: SigningKey) -> OpenKey:
        """``key`` in use. Raises :class:`PluginContractError` and :class:`KeyMismatchError`."""
        self.pins.check(check_key(key, self.broken).public_key)
        way = way_to_sign(key, self.attempts, verify=self.verify, broken=self.broken)
        watched = self.extensions.watched(way, key, signer=self.signer, backend=self.backend)
        return OpenKey(key, watched, self._way_of_digests(key), self.broken)

    def _way_of_digests(self, key: SigningKey) -> Way:
        try:
            prehash = prehash_signed_by(key, self.backend)
        except UnsupportedAlgorithmError as error:
            return _refusing(error.message, error.remedy)
        way = way_to_sign_digest(key, self.attempts, verify=self.verify, broken=self.broken)
        watched = self.extensions.watched(way, key, signer=self.signer, backend=self.backend, prehash=prehash)

        def checked(digest: bytes, deadline: Deadline) -> bytes:
            prehash.check(digest)
            return watched(digest, deadline)

        return checked


def _refusing(message: str, remedy: str | None) -> Way:
    def refusing(_: bytes, __: Deadline) -> bytes:
        raise UnsupportedAlgorithmError(message, remedy=remedy)

    return refusing
