"""The kit over the sound extension and the broken ones. test_testing.py runs it in a process of its own."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from signer_core.errors import ExtensionError
from signer_core.testing import ExtensionConformance
from tests.testing.all_broken import EXTENSIONS
from tests.testing.kit_runs import down
from tests.testing.sound_backend import PASSWORD


class InMemory(ExtensionConformance):
    extension: str

    @pytest.fixture
    def config(self, tmp_path: Path) -> dict[str, dict[str, str]]:
        (tmp_path / "token").write_text(PASSWORD)
        return {self.extension: {"forbidden": "forbidden", "token": f"file:{tmp_path / 'token'}"}}

    @pytest.fixture
    def refused_message(self) -> bytes:
        return b"a forbidden message"

    @pytest.fixture
    def breakage(self) -> tuple[type[ExtensionError], AbstractContextManager[None]]:
        return ExtensionError, down()


def add_test_class(extension: str, **attributes: object) -> None:
    name = f"Test_{extension}"
    globals()[name] = type(name, (InMemory,), {"__module__": __name__, "extension": extension, **attributes})


add_test_class("sound_extension")
for extension, broken in EXTENSIONS.items():
    others = {name for name in dir(InMemory) if name.startswith("test_") and name not in broken.tests}
    add_test_class(extension, **dict.fromkeys(others))
