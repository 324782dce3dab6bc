"""One commit serves all threads that wait, in their order, and none waits for ever."""

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from signer_audit.group_commit import GroupCommit
from signer_core.errors import ConfigError, ExtensionError
from tests.keys import PATIENCE, Running, in_child, in_thread, until

from .logs import intact, opened


class Gate:
    """Commits that wait at a gate, each for its own opening; what they committed."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Semaphore(0)
        self.opened = threading.Semaphore(0)
        self.errors: list[BaseException | None] = []

    def commit(self, batch: Sequence[str]) -> None:
        self.batches.append(list(batch))
        self.entered.release()
        assert self.opened.acquire(timeout=PATIENCE)
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error

    def wait_entered(self) -> None:
        assert self.entered.acquire(timeout=PATIENCE)


def submit_in_order(group: GroupCommit[str], *items: str) -> list[Running]:
    """Threads that submit the items, each when the one before waits."""
    running = []
    for item in items:
        running.append(in_thread(lambda item=item: group.submit(item)))  # type: ignore[misc]
        until(lambda item=item: item in waiting(group))  # type: ignore[misc]
    return running


def waiting(group: GroupCommit[str]) -> list[str]:
    """What the next commit will have."""
    return group._next.items


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def group(gate: Gate) -> GroupCommit[str]:
    return GroupCommit(gate.commit)


@pytest.fixture
def leader(gate: Gate, group: GroupCommit[str]) -> Running:
    """A thread in the middle of a commit."""
    leader = in_thread(lambda: group.submit("first"))
    gate.wait_entered()
    return leader


def test_one_that_is_alone_is_committed_at_once(gate: Gate, group: GroupCommit[str], leader: Running) -> None:
    gate.opened.release()
    leader.result()
    assert gate.batches == [["first"]]


def test_those_who_come_during_a_commit_share_the_next_one(
    gate: Gate, group: GroupCommit[str], leader: Running
) -> None:
    others = submit_in_order(group, "a", "b", "c")
    assert not any(each.is_over for each in (leader, *others))
    gate.opened.release()
    leader.result()
    gate.wait_entered()
    assert not any(each.is_over for each in others)
    gate.opened.release()
    for each in others:
        each.result()
    assert gate.batches == [["first"], ["a", "b", "c"]]


def test_all_who_shared_a_commit_that_failed_are_told(gate: Gate, group: GroupCommit[str], leader: Running) -> None:
    gate.errors = [None, ConfigError("the disk is gone", remedy="find it"), None]
    others = submit_in_order(group, "a", "b", "c")
    gate.opened.release(2)
    leader.result()
    errors = []
    for each in others:
        with pytest.raises((ConfigError, ExtensionError)) as raised:
            each.result()
        errors.append(raised.value)
    assert {(each.message, each.remedy) for each in errors} == {("the disk is gone", "find it")}
    assert len({id(each) for each in errors}) == 3, "each thread has an error of its own"
    gate.opened.release()
    group.submit("next")
    assert gate.batches[-1] == ["next"]


def test_an_interrupted_commit_is_no_commit_for_those_who_shared_it(
    gate: Gate, group: GroupCommit[str], leader: Running
) -> None:
    gate.errors = [None, KeyboardInterrupt()]
    others = submit_in_order(group, "a", "b")
    gate.opened.release(2)
    leader.result()
    raised = []
    for each in others:
        with pytest.raises((KeyboardInterrupt, ExtensionError)) as error:
            each.result()
        raised.append(error.type)
    assert sorted(each.__name__ for each in raised) == ["ExtensionError", "KeyboardInterrupt"]


def test_one_who_is_interrupted_while_it_waits_keeps_nobody_waiting(
    gate: Gate, group: GroupCommit[str], leader: Running
) -> None:
    """What it submitted is committed with the rest: it happened, and is on record."""

    interrupted = threading.Event()

    def interrupt() -> None:
        """Again and again: CPython sleeps through a signal that comes just before it begins to wait for a lock."""
        until(lambda: "interrupted" in waiting(group))
        while not interrupted.wait(0.01):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def once(*_: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, once)
    interrupting = in_thread(interrupt)
    with pytest.raises(KeyboardInterrupt):
        group.submit("interrupted")
    interrupting.result()
    signal.signal(signal.SIGINT, before)
    [other] = submit_in_order(group, "other")
    gate.opened.release(2)
    leader.result()
    other.result()
    assert gate.batches == [["first"], ["interrupted", "other"]]


def test_a_child_does_not_wait_for_a_thread_of_its_parent(gate: Gate, group: GroupCommit[str], leader: Running) -> None:
    def child() -> None:
        group.forget_other_threads()
        gate.opened.release()
        group.submit("of the child")
        assert gate.batches[-1] == ["of the child"]

    assert in_child(child) == 0
    gate.opened.release()
    leader.result()


def test_32_threads_need_at_most_a_fifth_of_a_sync_per_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, threads, each_signs, syncs, fsync = tmp_path / "audit.jsonl", 32, 25, [], os.fsync

    def counted(descriptor: int) -> None:
        syncs.append(descriptor)
        fsync(descriptor)

    with opened(path) as signer:
        together = threading.Barrier(threads)

        def sign() -> None:
            together.wait(PATIENCE)
            for number in range(each_signs):
                signer.sign(str(number).encode())

        monkeypatch.setattr(os, "fsync", counted)
        for running in [in_thread(sign) for _ in range(threads)]:
            running.result()
        monkeypatch.undo()
    assert intact(path).lines == threads * each_signs
    assert len(syncs) <= threads * each_signs / 5
