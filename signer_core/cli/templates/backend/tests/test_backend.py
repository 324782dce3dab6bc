"""The backend example does what every backend must do, and what only it does."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from signer_core import create_signer, init_signer
from signer_core.errors import AccessDeniedError, KeyFormatError, KeyUnavailableError
from signer_core.testing import Breakage, SigningKeyConformance


def configured(path: Path) -> dict[str, object]:
    return {"backend": "example", "path": path}


class TestConformance(SigningKeyConformance):
    """All that signer-core promises of every backend."""

    @pytest.fixture(scope="class")  # opened once for the tests that only use it
    @classmethod
    def config(cls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
        config = configured(tmp_path_factory.mktemp("keys") / "key")
        init_signer(config).close()
        return config

    @pytest.fixture
    def missing_config(self, tmp_path: Path) -> dict[str, object]:
        return configured(tmp_path / "key")

    @pytest.fixture
    def breakage(self, config: dict[str, object]) -> Breakage:
        return KeyFormatError, damaged(Path(str(config["path"])))


@contextlib.contextmanager
def damaged(path: Path) -> Iterator[None]:
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    try:
        yield
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("content", ["", "00" * 31, "00" * 33, "zz" * 32, "é" * 64])
def test_file_that_holds_no_key_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(KeyFormatError, match="64 hex digits") as caught:
        create_signer(configured(path))
    assert caught.value.__context__ is None


def test_directory_is_no_key(tmp_path: Path) -> None:
    with pytest.raises((KeyUnavailableError, AccessDeniedError)):
        create_signer(configured(tmp_path))


def test_new_key_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    init_signer(configured(path)).close()
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
