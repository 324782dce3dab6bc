"""The kit over the sound backend and the broken ones. test_testing.py runs it in a process of its own."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from signer_core.errors import BackendUnavailableError
from signer_core.testing import SigningKeyConformance
from tests.testing.all_broken import BACKENDS
from tests.testing.sound_backend import DOWN, PASSWORD

Config = dict[str, str]


class InMemory(SigningKeyConformance):
    backend: str
    grace = 0.2

    @pytest.fixture(scope="class")
    @classmethod
    def config(cls, tmp_path_factory: pytest.TempPathFactory) -> Config:
        return cls.configured(tmp_path_factory.mktemp(cls.backend), PASSWORD)

    @pytest.fixture
    def missing_config(self, config: Config, request: pytest.FixtureRequest) -> Config:
        return {**config, "name": request.node.name}

    @pytest.fixture
    def wrong_secret_config(self, tmp_path: Path) -> Config:
        return self.configured(tmp_path, "the wrong password")

    @pytest.fixture
    def breakage(self) -> tuple[type[BackendUnavailableError], AbstractContextManager[None]]:
        return BackendUnavailableError, down()

    @classmethod
    def configured(cls, directory: Path, password: str) -> Config:
        (directory / "password").write_text(password)
        return {"backend": cls.backend, "name": "there", "password": f"file:{directory / 'password'}"}


@contextlib.contextmanager
def down() -> Iterator[None]:
    DOWN.set()
    try:
        yield
    finally:
        DOWN.clear()


def add_test_class(backend: str, **attributes: object) -> None:
    name = f"Test_{backend}"
    globals()[name] = type(name, (InMemory,), {"__module__": __name__, "backend": backend, **attributes})


add_test_class("sound")
for backend, broken in BACKENDS.items():
    # only the tests that must notice: all of them over all the backends would take minutes
    others = {name for name in dir(InMemory) if name.startswith("test_") and name not in broken.tests}
    add_test_class(backend, **dict.fromkeys(others))
