"""The backend file does what every backend must do, with keys in both formats."""

from collections.abc import Callable

import pytest

from signer_core import init_signer
from signer_core.testing import SigningKeyConformance

Config = dict[str, str]


class KeyFile(SigningKeyConformance):
    """A key file of the format ``format``."""

    format: str

    @pytest.fixture(scope="class")
    @classmethod
    def configured(cls, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Config]:
        """Makes the configuration of a key in a new directory, or in the one of another configuration."""

        def configured(passphrase: str = "correct horse battery staple", *, like: Config | None = None) -> Config:
            directory = tmp_path_factory.mktemp("key")
            (directory / "passphrase").write_text(passphrase + "\n")
            config = {"backend": "file", "path": str(directory / "keys"), "format": cls.format, **(like or {})}
            return {**config, "passphrase": f"file:{directory / 'passphrase'}"}

        return configured

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, configured: Callable[..., Config]) -> Config:
        config = configured()
        init_signer(config).close()
        return config

    @pytest.fixture
    def missing_config(self, configured: Callable[..., Config]) -> Config:
        return configured()

    @pytest.fixture
    def wrong_secret_config(self, configured: Callable[..., Config], config: Config) -> Config:
        return configured("incorrect horse battery staple", like=config)


class TestEvnode(KeyFile):
    """ev-node's signer.json."""

    format = "evnode"


class TestPkcs8(KeyFile):
    """Encrypted PKCS#8 in PEM."""

    format = "pkcs8"
