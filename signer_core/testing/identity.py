"""What must hold of a key's name and public half."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from signer_core.algorithms import FACTS
from signer_core.deadline import Deadline
from signer_core.errors import UnsupportedAlgorithmError
from signer_core.factory import create_signer
from signer_core.hookspecs import SigningKey
from signer_core.plugins import BackendPlugin
from signer_core.public_key import PublicKey
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE, Config, Fixtures
from signer_core.testing.outcomes import assert_good, refused

ROUND_TRIPS: dict[str, Callable[[PublicKey], PublicKey]] = {
    "pem": lambda key: PublicKey.from_pem(key.to_pem(), algorithm=key.algorithm),
    "der": lambda key: PublicKey.from_der(key.to_der(), algorithm=key.algorithm),
    "jwk": lambda key: PublicKey.from_jwk(key.to_jwk(), algorithm=key.algorithm),
    "openssh": lambda key: PublicKey.from_openssh(key.to_openssh(), algorithm=key.algorithm),
    "libp2p": lambda key: PublicKey.from_libp2p(key.to_libp2p(), algorithm=key.algorithm),
    "raw": lambda key: PublicKey.from_raw(key.algorithm, key.raw),
    "cryptography": lambda key: PublicKey.from_cryptography(key.to_cryptography(), algorithm=key.algorithm),
}


class Identity(Fixtures):
    """Tests of ``key_id`` and ``public_key``."""

    def test_key_id_is_set(self, key: SigningKey) -> None:
        """``key_id`` is a text that names the key, and not empty."""
        key_id: Any = key.key_id
        assert isinstance(key_id, str)
        assert key_id, "give the key the name by which an operator would find it: a path, an ARN, a URL"

    def test_public_key_is_set(self, key: SigningKey, plugin: BackendPlugin) -> None:
        """``public_key`` is a PublicKey, for an algorithm that ``signer_backend`` declares."""
        public_key: Any = key.public_key
        assert isinstance(public_key, PublicKey)
        assert public_key.algorithm in plugin.backend.algorithms, "signer_backend must declare it in `algorithms`"

    def test_identity_is_stable(self, key: SigningKey) -> None:
        """``key_id`` and ``public_key`` of an open key never change, whatever is signed."""
        seen = [(key.key_id, key.public_key)]
        for _ in range(3):
            key.sign(b"message", Deadline.after(PATIENCE))
            seen.append((key.key_id, key.public_key))
        assert seen == [seen[0]] * len(seen), "find out both once, when the key is opened, and keep them"

    def test_reopening_gives_the_same_key(self, config: Config, signer: Signer, key: SigningKey) -> None:
        """Who opens the configuration again gets the same key under the same name; for a key that does not reopen,
        another one that signs as well.
        """
        with create_signer(config) as again:
            assert_good(again, again.sign(b"message"))
            if key.reopens:
                assert (again.key_id, again.public_key) == (signer.key_id, signer.public_key), (
                    "if the key is another one each time, say so with SigningKey.reopens"
                )
            else:
                assert again.public_key != signer.public_key, "it is the same key: let SigningKey.reopens say so"

    def test_signer_shows_the_key(self, signer: Signer, config: Config) -> None:
        """The signer's address, if its key has one, its algorithm and its backend are those of the key."""
        if FACTS[signer.algorithm].key_type.has_raw:
            assert signer.address == hashlib.sha256(signer.public_key.raw).digest()
        assert signer.algorithm is signer.public_key.algorithm
        assert signer.backend == config["backend"]

    @pytest.mark.parametrize("encoding", ROUND_TRIPS)
    def test_public_key_round_trips(self, signer: Signer, encoding: str) -> None:
        """Each encoding of the public key reads back as the same key; one that is not defined for it is refused."""
        if _is_defined(encoding, signer.public_key):
            assert ROUND_TRIPS[encoding](signer.public_key) == signer.public_key
        else:
            refused(UnsupportedAlgorithmError, lambda: ROUND_TRIPS[encoding](signer.public_key))


def _is_defined(encoding: str, key: PublicKey) -> bool:
    key_type = FACTS[key.algorithm].key_type
    defined = {"raw": key_type.has_raw, "openssh": key_type.has_openssh, "libp2p": key_type.libp2p is not None}
    return defined.get(encoding, True)
