"""What a worker does with a chunk, seen from inside its process."""

import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from signer_core import Deadline, create_signer, workers
from signer_core.errors import DeadlineExceededError, KeyMismatchError, KeyNotFoundError
from signer_core.workers import Chunk, Kept, sign_chunk
from tests.conftest import Install
from tests.keys import OTHER_SEED, PATIENCE, SEED, in_child, in_thread

NOOP = {"backend": "noop", "seed": SEED.hex()}
FOREVER = Deadline.after(None)


def chunk(messages: list[bytes], **changes: Any) -> Chunk:
    """What an executor's worker gets of a noop signer's batch."""
    with create_signer(NOOP) as signer:
        whole = Chunk(
            name="a chunk of a test",
            signer=pickle.dumps(signer.__reduce__()),
            fingerprint=signer.public_key.fingerprint,
            messages=messages,
            seconds=None,
            concurrency=1,
        )
    return attrs.evolve(whole, **changes)


class Opening:
    """What a pickled signer is here: it waits at a gate, and may fail, and counts."""

    def __init__(self, failures: int = 0) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)
        self.failures = failures
        self.opened: list[Opening] = []
        self.closed = 0

    def __call__(self) -> "Opening":
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        if self.failures:
            self.failures -= 1
            raise KeyNotFoundError("not yet")
        self.opened.append(self)
        return self

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, Opening]:
    """The signers that there are, by their pickles."""
    openings: dict[bytes, Opening] = {}

    class Pickles:
        @staticmethod
        def loads(pickled: bytes) -> tuple[Opening, tuple[()]]:
            return openings[pickled], ()

    monkeypatch.setattr(workers, "pickle", Pickles)
    return openings


def test_chunk_is_signed_in_order() -> None:
    with create_signer(NOOP) as signer:
        assert sign_chunk(chunk([b"first", b"second"])) == [signer.sign(b"first"), signer.sign(b"second")]


def test_chunk_shows_no_message() -> None:
    assert "secret" not in repr(chunk([b"secret"]))


def test_chunk_whose_time_is_up_is_not_signed() -> None:
    with pytest.raises(DeadlineExceededError):
        sign_chunk(chunk([b"message"], seconds=0.0))


def test_chunk_is_not_signed_with_another_key() -> None:
    with create_signer({**NOOP, "seed": OTHER_SEED.hex()}) as other, pytest.raises(KeyMismatchError, match="replaced"):
        sign_chunk(chunk([b"message"], fingerprint=other.public_key.fingerprint))


RENEWING = """
@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config)

class Key(RenewingKey):
    @property
    def renew_after(self):
        return 1e-9

@hookimpl
def signer_open(config):
    return Key(lambda deadline: Ed25519Key(OTHER_SEED))
"""


def test_signatures_of_a_key_that_a_renewal_brought_are_thrown_away(install: Install) -> None:
    install(source=RENEWING)
    with create_signer({"backend": "throwaway"}) as signer:
        pickled = pickle.dumps(signer.__reduce__())
        fingerprint = signer.public_key.fingerprint
    with pytest.raises(KeyMismatchError, match="replaced"):
        sign_chunk(chunk([b"message"], signer=pickled, fingerprint=fingerprint))


# Kept


def test_many_threads_open_a_signer_once(openings: dict[bytes, Opening]) -> None:
    opening = openings[b"signer"] = Opening()
    opening.gate.clear()
    kept = Kept()

    def use() -> Any:
        with kept.opened(b"signer", FOREVER) as signer:
            return signer

    with ThreadPoolExecutor(4) as threads:
        uses = [threads.submit(use) for _ in range(8)]
        assert opening.begun.acquire(timeout=PATIENCE)
        opening.gate.set()
        assert [each.result(PATIENCE) for each in uses] == [opening] * 8
    assert opening.opened == [opening]
    assert opening.closed == 0


def test_waiting_for_another_thread_to_open_ends_at_the_deadline(openings: dict[bytes, Opening]) -> None:
    opening = openings[b"signer"] = Opening()
    opening.gate.clear()
    kept = Kept()

    def use(deadline: Deadline) -> None:
        with kept.opened(b"signer", deadline):
            pass

    first = in_thread(lambda: use(FOREVER))
    assert opening.begun.acquire(timeout=PATIENCE)
    with pytest.raises(DeadlineExceededError):
        use(Deadline.after(0.001))
    opening.gate.set()
    first.result()


def test_what_failed_to_open_is_tried_again(openings: dict[bytes, Opening]) -> None:
    openings[b"signer"] = Opening(failures=1)
    kept = Kept()
    with pytest.raises(KeyNotFoundError), kept.opened(b"signer", FOREVER):
        pass
    with kept.opened(b"signer", FOREVER) as signer:
        assert signer is openings[b"signer"]


def test_the_one_unused_for_longest_is_closed_when_there_are_too_many(openings: dict[bytes, Opening]) -> None:
    kept = Kept(2)
    for name in (b"first", b"second", b"first", b"third"):
        openings.setdefault(name, Opening())
        with kept.opened(name, FOREVER):
            pass
    assert [openings[name].closed for name in (b"first", b"second", b"third")] == [0, 1, 0]


def test_one_in_use_is_never_closed(openings: dict[bytes, Opening]) -> None:
    kept = Kept(1)
    openings.update({b"first": Opening(), b"second": Opening()})
    with kept.opened(b"first", FOREVER):
        with kept.opened(b"second", FOREVER):
            pass
        assert (openings[b"first"].closed, openings[b"second"].closed) == (0, 1)
    assert openings[b"first"].closed == 0


def test_failing_close_harms_no_chunk(install: Install) -> None:
    source = """
class Key(Ed25519Key):
    def close(self):
        raise OSError("stuck")

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config)

@hookimpl
def signer_open(config):
    return Key()
"""
    install(source=source)
    kept = Kept(0)
    with create_signer({"backend": "noop", "seed": SEED.hex()}) as noop:
        public_key = noop.public_key
    with pytest.raises(Exception, match="close raised OSError"), create_signer({"backend": "throwaway"}) as signer:
        pickled = pickle.dumps(signer.__reduce__())
    with kept.opened(pickled, FOREVER) as opened:
        public_key.verify(opened.sign(b"message"), b"message")


def test_forked_child_opens_its_own(openings: dict[bytes, Opening]) -> None:
    opening = openings[b"signer"] = Opening()
    kept = Kept()
    opening.gate.clear()

    def use() -> None:
        with kept.opened(b"signer", FOREVER):
            pass

    parent = in_thread(use)
    assert opening.begun.acquire(timeout=PATIENCE)

    def child() -> None:
        opening.gate = threading.Event()
        opening.gate.set()
        use()
        assert opening.opened == [opening]

    try:
        assert in_child(child) == 0
    finally:
        opening.gate.set()
        parent.result()


def test_process_keeps_a_signer_for_the_next_chunk(install: Install) -> None:
    source = """
@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config)

OPENED = []

@hookimpl
def signer_open(config):
    OPENED.append(Ed25519Key())
    return OPENED[-1]
"""
    install(source=source)
    with create_signer({"backend": "throwaway"}, name="kept") as signer:  # no other test has one of that name
        pickled = pickle.dumps(signer.__reduce__())
        module = next(each for name, each in sys.modules.items() if name.startswith("throwaway_"))
        for _ in range(3):
            sign_chunk(chunk([b"message"], signer=pickled))
    assert len(module.OPENED) == 2
    assert [key.closed for key in module.OPENED] == [1, 0]
