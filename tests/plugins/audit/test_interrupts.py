"""An interrupt, such as Ctrl-C, keeps nobody waiting, and leaves the log as it must be, wherever it comes."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from signer_audit.group_commit import GroupCommit
from tests.keys import in_thread

from .logs import intact, opened


class InterruptAt:
    """A profiler that interrupts its thread at one of the places where that may be: a function begins or returned."""

    def __init__(self, place: int) -> None:
        self.left = place

    def __call__(self, _: object, event: str, __: object) -> None:
        if event in {"call", "c_return"}:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


def interrupted_everywhere(call: Callable[[], object]) -> Iterator[int]:
    """Make the call again and again, each time interrupted at another place; which one, after each of them."""
    for place in itertools.count(1):
        interrupt = InterruptAt(place)
        sys.setprofile(interrupt)
        try:
            call()
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
        yield place
        if interrupt.left > 0:
            return


def test_those_who_come_after_an_interrupted_thread_are_committed() -> None:
    committed: list[str] = []
    group = GroupCommit[str](committed.extend)
    places = 0
    for places in interrupted_everywhere(lambda: group.submit("interrupted")):
        in_thread(lambda: group.submit("next")).result()
        assert (committed[-1], committed.count("next")) == ("next", places)
    assert places > 5


def test_the_log_is_intact_and_nobody_is_locked_out(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    places = 0
    with opened(path) as signer, opened(path, lock_timeout=1) as other:
        for places in interrupted_everywhere(lambda: signer.sign(b"interrupted")):
            other.sign(b"of another")
            signer.sign(b"the next")
            assert intact(path).lines >= 2 * places
    assert places > 50
