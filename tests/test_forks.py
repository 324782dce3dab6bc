import gc
import os
import weakref

import pytest

from signer_core import forks
from signer_core.forks import tell_after_fork, tell_all
from tests.keys import in_child


class Bound:
    def __init__(self) -> None:
        self.told = 0

    def forget_other_threads(self) -> None:
        self.told += 1


def test_child_is_told_and_the_parent_is_not() -> None:
    bound = Bound()
    tell_after_fork(bound)

    def child() -> None:
        assert bound.told == 1

    assert in_child(child) == 0
    assert bound.told == 0


def test_grandchild_is_told_again() -> None:
    bound = Bound()
    tell_after_fork(bound)

    def grandchild() -> None:
        assert bound.told == 2

    def child() -> None:
        assert in_child(grandchild) == 0

    assert in_child(child) == 0


def test_all_are_told() -> None:
    bound = [Bound(), Bound()]
    tell_all(weakref.WeakSet(bound))
    assert [each.told for each in bound] == [1, 1]


def test_system_without_fork_has_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    forks._bound.cache_clear()
    try:
        bound = Bound()
        tell_after_fork(bound)
        assert list(forks._bound()) == [bound]
    finally:
        forks._bound.cache_clear()


def test_what_is_gone_is_not_kept() -> None:
    class Counted(Bound):
        alive = 0

        def __init__(self) -> None:
            super().__init__()
            Counted.alive += 1

        def __del__(self) -> None:
            Counted.alive -= 1

    tell_after_fork(Counted())
    gc.collect()
    assert Counted.alive == 0


def test_child_that_fails_is_noticed(capfd: pytest.CaptureFixture[str]) -> None:
    """The helper itself: a test that can't fail would prove nothing."""

    def child() -> None:
        raise AssertionError("of the child")

    assert in_child(child) == 1
    assert "of the child" in capfd.readouterr().err
