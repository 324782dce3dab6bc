"""The backend file does what every backend must do."""

from pathlib import Path

import pytest

from signer_core import Secret, init_signer
from signer_core.testing import SigningKeyConformance

from .keys import ASCII, PASSPHRASE, options, write_private


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
