"""Tests that need a fixture which an author may leave out."""

from collections.abc import Mapping
from typing import Any, ClassVar


class OptionalTests:
    """A class of tests some of whose bases are only there for who brings their fixture."""

    #: The names of the fixtures, and the classes of the tests that need them.
    optional: ClassVar[Mapping[str, type]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Leave out the tests whose fixture is not there: a skipped test would be noise in every run."""
        super().__init_subclass__(**kwargs)
        if "optional" in vars(cls):  # the class that has all tests there are
            return
        for fixture, tests in cls.optional.items():
            for name in (name for name in vars(tests) if name.startswith("test_")):
                if not hasattr(cls, fixture):
                    setattr(cls, name, None)
                elif getattr(cls, name) is None and name not in vars(cls):
                    setattr(cls, name, getattr(tests, name))  # a subclass brings what its parent did not
