"""The plugins that break one promise each, and the tests of the kit that must notice: collected by ``noticed_by``."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tests.testing.sound_backend import SoundBackend
from tests.testing.sound_extension import SoundExtension

P = TypeVar("P", SoundBackend, SoundExtension)


class Broken(NamedTuple):
    """Where a broken plugin is, and the tests that must fail."""

    module: str
    tests: frozenset[str]


#: By the name of the entry point.
BACKENDS: dict[str, Broken] = {}
EXTENSIONS: dict[str, Broken] = {}


def noticed_by(*tests: str) -> Callable[[type[P]], P]:
    """Make the class a plugin: an object of it."""

    def made(plugin: type[P]) -> P:
        kind = BACKENDS if issubclass(plugin, SoundBackend) else EXTENSIONS
        kind[plugin.__name__] = Broken(plugin.__module__, frozenset(tests))
        return plugin()

    return made
