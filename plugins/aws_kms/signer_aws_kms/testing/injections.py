"""Which request meets which fault."""

import threading

import attrs
from attrs.validators import ge, optional

from signer_aws_kms.testing.faults import Fault
from signer_aws_kms.testing.keys import FakeKey


@attrs.define(eq=False, kw_only=True)
class Injection:
    """A fault for some requests: those for ``operation`` and ``key`` (None = any).

    Of the requests that match, the first ``skip`` go well, the next one fails, and then every ``every``-th, ``times``
    times at most (None = for ever). ``hits`` says how many have.
    """

    fault: Fault
    operation: str | None = None
    key: FakeKey | None = None
    times: int | None = attrs.field(default=None, validator=optional(ge(1)))
    every: int = attrs.field(default=1, validator=ge(1))
    skip: int = attrs.field(default=0, validator=ge(0))
    hits: int = 0
    _matched: int = attrs.field(default=0, init=False)

    def due(self, operation: str, key: FakeKey | None) -> bool:
        """Count the request, and say whether it shall fail."""
        if self.operation not in (None, operation) or (self.key is not None and self.key is not key):
            return False
        self._matched += 1
        if self._matched <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        return (self._matched - self.skip - 1) % self.every == 0


class Injections:
    """The faults to come, in the order in which they were injected; the first that is due is taken."""

    def __init__(self) -> None:
        self._all: list[Injection] = []
        self._lock = threading.Lock()

    def add(self, injection: Injection) -> None:
        """Let it happen from the next request on."""
        with self._lock:
            self._all.append(injection)

    def clear(self) -> None:
        """Let all go well again."""
        with self._lock:
            self._all.clear()

    def take(self, operation: str, key: FakeKey | None) -> Fault | None:
        """The fault for this request, or None."""
        if not self._all:
            return None
        with self._lock:
            due = [each for each in self._all if each.due(operation, key)]
            if not due:
                return None
            due[0].hits += 1
            return due[0].fault
