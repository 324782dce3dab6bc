"""A key in use: who may enter, and when it is closed."""

import functools
import threading

import pytest

from signer_core import Deadline
from signer_core.attempts import Attempts
from signer_core.errors import (
    PluginContractError,
)
from signer_core.open_key import OpenKey
from signer_core.way import way_to_sign
from tests.keys import PATIENCE, Ed25519Key, in_thread

NOW = Deadline.after(None)


def opened(key: Ed25519Key) -> OpenKey:
    way = way_to_sign(key, Attempts(), verify=False)
    return OpenKey(key, way, way)


def test_key_is_closed_when_it_is_retired_and_nobody_is_in() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    assert open_key.enter("call")
    open_key.leave("call")
    assert key.closed == 0
    open_key.retire()
    assert key.closed == 1
    open_key.wait_closed()
    assert open_key.is_closed


def test_key_is_closed_when_the_last_call_leaves() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.enter("first")
    open_key.enter("second")
    open_key.retire()
    open_key.leave("first")
    assert (key.closed, open_key.is_closed) == (0, False)
    open_key.leave("second")
    assert (key.closed, open_key.is_closed) == (1, True)


def test_retired_key_takes_no_call() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.enter("running")
    open_key.retire()
    assert open_key.enter("late") is False
    assert open_key.calls == {"running"}
    assert key.closed == 0


def test_key_is_closed_once() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    for _ in range(3):
        open_key.retire()
        open_key.enter("late")
        open_key.leave("late")
    assert key.closed == 1


def test_waiting_for_the_close_ends_with_it() -> None:
    open_key = opened(Ed25519Key())
    open_key.enter("call")
    open_key.retire()
    waiting = in_thread(open_key.wait_closed)
    assert not waiting.is_over
    open_key.leave("call")
    waiting.result()


def test_close_that_fails_is_told_once() -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            raise OSError("hunter2")

    open_key = opened(Stuck())
    open_key.retire()
    with pytest.raises(PluginContractError, match=r"Stuck.close raised OSError;"):
        open_key.raise_close_error()
    open_key.raise_close_error()


def test_close_that_is_interrupted_does_not_keep_others_waiting() -> None:
    class Interrupted(Ed25519Key):
        def close(self) -> None:
            super().close()
            raise KeyboardInterrupt

    key = Interrupted()
    open_key = opened(key)
    with pytest.raises(KeyboardInterrupt):
        open_key.retire()
    open_key.retire()
    open_key.wait_closed()
    assert key.closed == 1


def test_key_that_enters_while_it_closes_is_turned_away() -> None:
    entered: list[bool] = []

    class Curious(Ed25519Key):
        def close(self) -> None:
            entered.append(open_key.enter("from within"))

    open_key = opened(Curious())
    open_key.retire()
    assert entered == [False]


class Race:
    """Threads enter and leave a key while another retires it."""

    def __init__(self) -> None:
        self.inside: set[int] = set()
        self.inside_at_close: list[set[int]] = []
        self.ready = threading.Barrier(5)
        race = self

        class Watched(Ed25519Key):
            def close(self) -> None:
                race.inside_at_close.append(set(race.inside))

        self.open_key = opened(Watched())

    def use(self, number: int) -> None:
        self.ready.wait(PATIENCE)
        while self.open_key.enter(number):
            self.inside.add(number)
            self.inside.discard(number)
            self.open_key.leave(number)

    def retire(self) -> None:
        self.ready.wait(PATIENCE)
        self.open_key.retire()


def test_no_call_is_in_when_the_key_is_closed() -> None:
    for _ in range(50):
        race = Race()
        running = [in_thread(functools.partial(race.use, number)) for number in range(4)]
        for each in (*running, in_thread(race.retire)):
            each.result()
        race.open_key.wait_closed()
        assert race.inside_at_close == [set()]


def test_forked_child_forgets_the_calls_of_the_parent() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.enter("of a thread of the parent")
    open_key._changes.acquire()
    open_key.forget_other_threads()
    open_key.retire()
    open_key.wait_closed()
    assert key.closed == 1


def test_forked_child_does_not_close_again_what_the_parent_was_closing() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.retire()
    open_key.forget_other_threads()
    open_key.retire()
    open_key.wait_closed()
    assert key.closed == 1
