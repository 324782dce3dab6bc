"""The backends that break one promise each, and the tests of the kit that must notice: collected by ``noticed_by``."""

from collections.abc import Callable
from typing import NamedTuple

from tests.testing.sound_backend import SoundBackend


class Broken(NamedTuple):
    """Where a broken backend is, and the tests that must fail."""

    module: str
    tests: frozenset[str]


#: By the name of the backend's entry point.
BROKEN: dict[str, Broken] = {}


def noticed_by(*tests: str) -> Callable[[type[SoundBackend]], SoundBackend]:
    """Make the class a backend: an object of it."""

    def made(backend: type[SoundBackend]) -> SoundBackend:
        BROKEN[backend.__name__] = Broken(backend.__module__, frozenset(tests))
        return backend()

    return made
