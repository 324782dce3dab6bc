"""The extension audit does what every extension must do."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_core.errors import ExtensionError
from signer_core.testing import Breakage, ExtensionConformance


class TestAudit(ExtensionConformance):
    """With a log of its own for each test."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> dict[str, dict[str, object]]:
        return {"audit": {"path": str(tmp_path / "audit.jsonl"), "lock_timeout": "250ms"}}

    @pytest.fixture
    def breakage(self, config: dict[str, dict[str, object]]) -> Breakage:
        return ExtensionError, locked(Path(str(config["audit"]["path"])))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process, so to speak, that writes the log and does not come to an end."""
    import fcntl

    with path.open("ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        yield
