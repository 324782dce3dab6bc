"""What must be told in a child process after a fork: it has the parent's bookkeeping, but not its threads."""

import functools
import os
import weakref
from typing import Protocol


class BoundToThreads(Protocol):
    """Something that counts calls of threads, holds locks or waits for threads."""

    def forget_other_threads(self) -> None:
        """In the child: forget what other threads were at; they will neither end nor release anything."""


def tell_after_fork(bound: BoundToThreads) -> None:
    """Call ``bound.forget_other_threads()`` in each child process, for as long as ``bound`` lives."""
    _bound().add(bound)


@functools.cache
def _bound() -> "weakref.WeakSet[BoundToThreads]":
    # The one piece of state that belongs to the process: a hook of os.register_at_fork cannot be taken back, so there
    # is one for all signers, made with the first of them.
    bound: weakref.WeakSet[BoundToThreads] = weakref.WeakSet()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=functools.partial(tell_all, bound))
    return bound


def tell_all(bound: "weakref.WeakSet[BoundToThreads]") -> None:
    """In the child: tell each of them."""
    for each in list(bound):
        each.forget_other_threads()
