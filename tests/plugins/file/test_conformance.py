"""The backend file does what every backend must do."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signer_core import Algorithm, Secret, init_signer
from signer_core.errors import KeyFormatError, KeyNotFoundError, SignerError
from signer_core.testing import Breakage, SigningKeyConformance
from tests.strategies import private_key

from .keys import ASCII, PASSPHRASE, options, write_private

pytestmark = pytest.mark.usefixtures("quick_passphrases", "unmeasured_processes")

#: What may become of a key file, and what it leads to.
DAMAGES: dict[str, tuple[type[SignerError], Callable[[Path], object]]] = {
    "gone": (KeyNotFoundError, Path.unlink),
    "cut off": (KeyFormatError, lambda path: os.truncate(path, 100)),
    "garbled": (KeyFormatError, lambda path: path.write_bytes(b"\xff" * 100)),
}


class TestEvnode(SigningKeyConformance):
    """With a key file that ev-node wrote, and a passphrase in a file."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
        directory = tmp_path_factory.mktemp("keys")
        ASCII.copy_to(directory)
        passphrase = write_private(directory / "passphrase", ASCII.passphrase)
        return {"backend": "file", "path": str(directory), "passphrase": f"file:{passphrase}"}

    @pytest.fixture
    def missing_config(self, tmp_path: Path) -> dict[str, object]:
        return options(tmp_path / "keys")

    @pytest.fixture
    def wrong_secret_config(self, config: dict[str, object]) -> dict[str, object]:
        return {**config, "passphrase": Secret(b"not its passphrase")}

    @pytest.fixture(params=DAMAGES)
    def breakage(self, config: dict[str, object], request: pytest.FixtureRequest) -> Breakage:
        error, damage = DAMAGES[request.param]

        @contextlib.contextmanager
        def damaged() -> Iterator[None]:
            path = Path(str(config["path"]), "signer.json")
            content = path.read_bytes()
            damage(path)
            try:
                yield
            finally:
                write_private(path, content)

        return error, damaged()


class TestPkcs8(SigningKeyConformance):
    """With a PEM file, and a passphrase in the configuration itself."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
        config = options(tmp_path_factory.mktemp("keys") / "sequencer.pem")
        init_signer(config).close()
        return config

    @pytest.fixture
    def missing_config(self, tmp_path: Path) -> dict[str, object]:
        return options(tmp_path, format="pkcs8")

    @pytest.fixture
    def wrong_secret_config(self, config: dict[str, object]) -> dict[str, object]:
        return {**config, "passphrase": Secret(PASSPHRASE + b"!")}


def unencrypted(directory: Path, algorithm: Algorithm) -> dict[str, object]:
    """The configuration of a key that nothing protects, so that opening it takes no time."""
    pem = private_key(algorithm).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = write_private(directory / "key.pem", pem)
    return {"backend": "file", "path": str(path), "allow_unencrypted": True, "algorithm": str(algorithm)}


@pytest.mark.slow
class TestEcdsa(SigningKeyConformance):
    """With a key on a curve."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
        return unencrypted(tmp_path_factory.mktemp("keys"), Algorithm.ECDSA_P384_SHA384)


@pytest.mark.slow
class TestRsa(SigningKeyConformance):
    """With a key that could serve another algorithm, too, and has no address."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
        return unencrypted(tmp_path_factory.mktemp("keys"), Algorithm.RSA_PKCS1V15_SHA256)


@pytest.mark.slow
class TestMlDsa(SigningKeyConformance):
    """With a key of large signatures."""

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
        return unencrypted(tmp_path_factory.mktemp("keys"), Algorithm.ML_DSA_87)
