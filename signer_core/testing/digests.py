"""What must hold of signatures over digests."""

import pytest

from signer_core.deadline import Deadline
from signer_core.errors import DeadlineExceededError, UnsupportedAlgorithmError
from signer_core.hookspecs import SigningKey
from signer_core.prehash import Hasher
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE, Fixtures
from signer_core.testing.outcomes import assert_good, ended, in_time, refused
from signer_core.way import prehash_signed_by


class Digests(Fixtures):
    """Tests of ``sign_digest``, which a key may leave as it is."""

    @pytest.fixture
    def digest(self, key: SigningKey) -> bytes | None:
        """What the key is given for b"message"; None if it signs no digests."""
        if isinstance(ended(lambda: prehash_signed_by(key), UnsupportedAlgorithmError), UnsupportedAlgorithmError):
            return None
        return _digest(key.public_key.hasher())

    def test_digest(self, signer: Signer, digest: bytes | None) -> None:
        """The signature over a digest is one over the message; where the key or its algorithm signs no digests, it is
        an UnsupportedAlgorithmError.
        """
        if digest is None:
            refused(UnsupportedAlgorithmError, signer.hasher)
            refused(UnsupportedAlgorithmError, lambda: signer.sign_digest(bytes(32)))
        else:
            assert_good(signer, signer.sign_digest(_digest(signer.hasher())))

    def test_key_is_given_a_digest_and_returns_bytes(self, key: SigningKey, digest: bytes | None) -> None:
        """The plugin's own ``sign_digest`` returns a right signature over the message, as bytes; one that signs no
        digests raises UnsupportedAlgorithmError, as SigningKey does.
        """
        if digest is None:
            refused(UnsupportedAlgorithmError, lambda: key.sign_digest(bytes(32), Deadline.after(PATIENCE)))
        else:
            assert_good(key, key.sign_digest(digest, Deadline.after(PATIENCE)))

    def test_digest_when_the_time_is_over(self, key: SigningKey, digest: bytes | None) -> None:
        """The plugin's own ``sign_digest``, which has no time left, ends at once, as ``sign`` does."""
        if digest is not None:
            over = Deadline.after(0)
            answer = in_time(self.grace, lambda: ended(lambda: key.sign_digest(digest, over), DeadlineExceededError))
            assert_good(key, answer)


def _digest(hasher: Hasher) -> bytes:
    hasher.update(b"message")
    return hasher.digest()
