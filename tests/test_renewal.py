"""A key that is renewed while calls go on."""

import gc
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from signer_core import Deadline, Signer, SigningKey
from signer_core.errors import (
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    SignCancelledError,
    SignerClosedError,
)
from tests.keys import OTHER_SEED, PATIENCE, Clock, Ed25519Key, GatedKey, RenewingKey, in_thread, refuses_calls, until


class GatedRenewal:
    """A renewal that waits at a gate."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.deadlines: list[Deadline] = []

    def __call__(self, deadline: Deadline) -> SigningKey:
        self.deadlines.append(deadline)
        self.entered.set()
        assert self.gate.wait(PATIENCE)
        if isinstance(self.result, BaseException):
            raise self.result
        result: SigningKey = self.result
        return result


@pytest.fixture
def clock() -> Clock:
    return Clock()


def signature_by(key: Ed25519Key, message: bytes = b"abc") -> bytes:
    return key.private_key.sign(message)


NEW = Ed25519Key(OTHER_SEED)


def messages_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "signer_core"]


def test_key_is_not_renewed_before_it_is_time(clock: Clock) -> None:
    key = RenewingKey()
    signer = Signer(key, clock=clock)
    clock.advance(9.9)
    signer.sign(b"abc")
    assert key.renewals == 0


def test_key_that_stays_the_same_is_asked_again_after_the_same_time(clock: Clock) -> None:
    key = RenewingKey()
    signer = Signer(key, clock=clock)
    for renewals in (1, 2, 3):
        clock.advance(10)
        signer.sign(b"abc")
        signer.sign(b"abc")
        assert (key.renewals, key.closed) == (renewals, 0)


def test_key_without_renewal_starts_no_thread(clock: Clock) -> None:
    before = threading.active_count()
    signer = Signer(Ed25519Key(), clock=clock)
    clock.advance(1e9)
    signer.sign(b"abc")
    assert threading.active_count() == before


def test_new_key_decides_when_it_is_renewed(clock: Clock) -> None:
    third = Ed25519Key()
    second = RenewingKey(lambda _: third, seed=OTHER_SEED)
    signer = Signer(RenewingKey(lambda _: second), clock=clock)
    for _ in range(3):
        clock.advance(10)
        signer.sign(b"abc")
    assert (second.renewals, second.closed, third.closed) == (1, 1, 0)
    assert signer.sign(b"abc") == signature_by(third)


def test_one_caller_renews_and_the_others_go_on_with_the_last_good_key(clock: Clock) -> None:
    renewal = GatedRenewal(NEW)
    old = RenewingKey(renewal)
    signer = Signer(old, clock=clock)
    clock.advance(10)
    first = in_thread(lambda: signer.sign(b"abc"))
    assert renewal.entered.wait(PATIENCE)

    others = [in_thread(lambda: signer.sign(b"abc")) for _ in range(8)]
    assert [each.result() for each in others] == [signature_by(old)] * 8
    assert not first.is_over

    renewal.gate.set()
    assert first.result() == signature_by(NEW)
    assert old.renewals == 1


def test_many_callers_at_the_same_time_renew_once(clock: Clock) -> None:
    key = RenewingKey()
    signer = Signer(key, clock=clock)
    for turn in range(1, 20):
        clock.advance(10)
        ready = threading.Barrier(8)

        def sign(ready: threading.Barrier = ready) -> bytes:
            ready.wait(PATIENCE)
            return signer.sign(b"abc")

        for each in [in_thread(sign) for _ in range(8)]:
            assert each.result() == signature_by(key)
        assert key.renewals == turn


def test_caller_who_comes_just_after_a_renewal_does_not_renew_again(clock: Clock) -> None:
    """It found that it was time, and before it came any further another one had renewed the key."""
    others: list[Callable[[], bytes]] = []

    class Compared(float):
        def __lt__(self, other: float) -> bool:
            if others:
                in_thread(others.pop()).result()
            return super().__lt__(other)

    key = RenewingKey()
    signer = Signer(key, clock=clock)
    clock.now = Compared(clock.now + 10)
    others.append(lambda: signer.sign(b"abc"))
    signer.sign(b"abc")
    assert (key.renewals, others) == (1, [])


def test_renewal_that_begins_just_after_the_close_has_nothing_to_do(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    closing = []

    def close_first(thread: threading.Thread) -> None:
        if thread.name == "signer-renewal":
            closing.append(in_thread(signer.close))
            until(lambda: refuses_calls(signer))
        start(thread)

    key = RenewingKey()
    signer = Signer(key, clock=clock)
    clock.advance(10)
    monkeypatch.setattr(threading.Thread, "start", close_first)
    assert signer.sign(b"abc") == signature_by(key)  # it began before the close
    closing[0].result()
    assert (key.renewals, key.closed) == (0, 1)


def test_stopped_renewal_stays_stopped_in_a_child(clock: Clock) -> None:
    key = RenewingKey()
    signer = Signer(key, clock=clock)
    signer.close()
    signer.forget_other_threads()
    clock.advance(10)
    with pytest.raises(SignerClosedError):
        signer.sign(b"abc")
    assert key.renewals == 0


def test_call_waits_for_half_of_its_own_time_at_most(clock: Clock) -> None:
    class Passing(threading.Event):
        """A cancellation that is never given; time passes with each look at it."""

        def is_set(self) -> bool:
            clock.advance(0.5)
            return False

    renewal = GatedRenewal(NEW)
    old = RenewingKey(renewal)
    signer = Signer(old, clock=clock)
    clock.advance(10)
    # The renewal does not end; a call that spent all of its time on it would have none left for the signature.
    assert signer.sign(b"abc", timeout=8, cancel=Passing()) == signature_by(old)
    renewal.gate.set()
    assert old.was_closed.wait(PATIENCE)
    assert signer.public_key == NEW.public_key


def test_renewal_has_a_budget_of_its_own(clock: Clock) -> None:
    renewal = GatedRenewal(NEW)
    renewal.gate.set()
    signer = Signer(RenewingKey(renewal), timeout=60, attempt_timeout=30, clock=clock)
    clock.advance(10)
    signer.sign(b"abc", timeout=3)
    assert [each.remaining() for each in renewal.deadlines] == [30]


def test_cancelled_call_does_not_break_off_the_renewal(clock: Clock) -> None:
    renewal = GatedRenewal(NEW)
    old = RenewingKey(renewal)
    signer = Signer(old, clock=clock)
    clock.advance(10)
    cancel = threading.Event()
    signing = in_thread(lambda: signer.sign(b"abc", cancel=cancel))
    assert renewal.entered.wait(PATIENCE)
    cancel.set()
    with pytest.raises(SignCancelledError):
        signing.result()
    assert old.deadlines == []
    renewal.gate.set()
    assert old.was_closed.wait(PATIENCE)
    assert signer.public_key == NEW.public_key


def test_call_whose_time_is_over_after_the_renewal_makes_no_attempt(clock: Clock) -> None:
    def slow(_: Deadline) -> SigningKey:
        clock.advance(5)
        return NEW

    old = RenewingKey(slow)
    signer = Signer(old, clock=clock)
    clock.advance(10)
    with pytest.raises(DeadlineExceededError):
        signer.sign(b"abc", timeout=4)
    assert old.was_closed.wait(PATIENCE)  # the renewal says so in the log, and the next test looks there


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ConfigError("the token is gone"), "the token is gone"),
        (BackendUnavailableError("down"), "down"),
        (RuntimeError("hunter2"), "RuntimeError"),
    ],
)
def test_failed_renewal_keeps_the_key_and_says_so(
    clock: Clock, caplog: pytest.LogCaptureFixture, failure: Exception, reason: str
) -> None:
    def fails(_: Deadline) -> SigningKey:
        raise failure

    key = RenewingKey(fails)
    signer = Signer(key, clock=clock)
    clock.advance(10)
    assert signer.sign(b"abc") == signature_by(key)
    assert messages_of(caplog) == [f"the key could not be renewed, and the last good one stays in use: {reason}"]
    assert [each.levelno for each in caplog.records] == [logging.WARNING]


def test_failed_renewal_is_tried_again_later(clock: Clock) -> None:
    results: list[SigningKey | Exception] = [BackendUnavailableError("down"), NEW]

    def renew(_: Deadline) -> SigningKey:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    key = RenewingKey(renew)
    signer = Signer(key, clock=clock)
    clock.advance(10)
    for elapsed, renewals in ((0, 1), (9, 1), (1, 2)):
        clock.advance(elapsed)
        signer.sign(b"abc")
        assert key.renewals == renewals
    assert signer.public_key == NEW.public_key


@pytest.mark.parametrize(("renew_after", "until_next"), [(0.5, 1), (5, 5), (3600, 30)])
def test_time_until_a_failed_renewal_is_tried_again(clock: Clock, renew_after: float, until_next: float) -> None:
    class Failing(RenewingKey):
        @property
        def renew_after(self) -> float:
            return renew_after

        def renew(self, deadline: Deadline) -> SigningKey:
            super().renew(deadline)
            raise BackendUnavailableError("down")

    key = Failing()
    signer = Signer(key, clock=clock)
    clock.advance(renew_after)
    signer.sign(b"abc")
    clock.advance(until_next * 0.99)
    signer.sign(b"abc")
    assert key.renewals == 1
    clock.advance(until_next * 0.02)
    signer.sign(b"abc")
    assert key.renewals == 2


def test_renewal_is_retried_like_any_call(clock: Clock) -> None:
    results: list[Any] = [BackendUnavailableError("down"), BackendUnavailableError("down")]

    def renew(_: Deadline) -> SigningKey:
        if results:
            raise results.pop()
        return NEW

    signer = Signer(RenewingKey(renew), max_retries=2, jitter=lambda _: 0.0, clock=clock)
    clock.advance(10)
    assert signer.sign(b"abc") == signature_by(NEW)


@pytest.mark.parametrize("result", [None, "key", b"", object()])
def test_renewal_that_gives_no_key_is_a_failure(clock: Clock, caplog: pytest.LogCaptureFixture, result: Any) -> None:
    key = RenewingKey(lambda _: result)
    signer = Signer(key, clock=clock)
    clock.advance(10)
    assert signer.sign(b"abc") == signature_by(key)
    [message] = messages_of(caplog)
    assert "a SigningKey was expected, not" in message


def test_pins_hold_at_each_renewal(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    new = Ed25519Key(OTHER_SEED)
    key = RenewingKey(lambda _: new)
    signer = Signer(key, clock=clock, expected_address=key.public_key.address.hex())
    clock.advance(10)
    assert signer.sign(b"abc") == signature_by(key)
    assert "this is another key than expected_address asks for" in messages_of(caplog)[0]
    assert (key.closed, new.closed) == (0, 1)


def test_key_that_fails_to_close_when_it_is_refused_is_logged(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            raise OSError("hunter2")

    key = RenewingKey(lambda _: Stuck(OTHER_SEED))
    signer = Signer(key, clock=clock, expected_address=key.public_key.address.hex())
    clock.advance(10)
    assert signer.sign(b"abc") == signature_by(key)
    assert messages_of(caplog)[0].endswith("Stuck failed to close: OSError")
    assert len(messages_of(caplog)) == 2


def test_property_that_breaks_after_the_renewal_is_a_failure(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    class Breaking(RenewingKey):
        @property
        def renew_after(self) -> float:
            if self.renewals:
                raise LookupError("hunter2")
            return 10.0

    key = Breaking()
    signer = Signer(key, clock=clock)
    clock.advance(10)
    for _ in range(3):
        assert signer.sign(b"abc") == signature_by(key)
    assert key.renewals == 1
    assert "renew_after raised LookupError" in messages_of(caplog)[0]


@pytest.mark.parametrize(
    ("more", "called"),
    [({"name": "sequencer"}, "sequencer"), ({"backend": "vault"}, "vault"), ({}, "tests.keys.RenewingKey")],
)
def test_changed_key_is_a_logged_warning(
    clock: Clock, caplog: pytest.LogCaptureFixture, more: dict[str, Any], called: str
) -> None:
    old = RenewingKey(lambda _: Ed25519Key(OTHER_SEED, key_id="new"), key_id="old")
    signer = Signer(old, clock=clock, **more)
    clock.advance(10)
    signer.sign(b"abc")
    [message] = messages_of(caplog)
    assert message == (
        f"the key of signer {called} changed: new, fingerprint {NEW.public_key.fingerprint}, "
        f"instead of old, fingerprint {old.public_key.fingerprint}"
    )


def test_new_object_for_the_same_key_is_not_logged(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    old, again = RenewingKey(), Ed25519Key()
    old.renewal = lambda _: again
    signer = Signer(old, clock=clock)
    clock.advance(10)
    signer.sign(b"abc")
    assert messages_of(caplog) == []
    assert (old.closed, again.closed) == (1, 0)


class GatedRenewingKey(GatedKey):
    """Signs when its gate is open; a renewal replaces it."""

    replacement: SigningKey = NEW

    @property
    def renew_after(self) -> float:
        return 10.0

    def renew(self, deadline: Deadline) -> SigningKey:
        return self.replacement


def test_call_uses_the_key_it_began_with_which_is_closed_when_the_last_call_left(clock: Clock) -> None:
    old = GatedRenewingKey()
    old.replacement = Ed25519Key(OTHER_SEED)
    signer = Signer(old, clock=clock)
    running = [in_thread(lambda: signer.sign(b"abc")) for _ in range(2)]
    old.wait_entered(2)
    clock.advance(10)
    assert signer.sign(b"abc") == signature_by(NEW)
    assert old.closed == 0

    old.gate.set()

    assert [each.result() for each in running] == [signature_by(old)] * 2
    assert old.closed == 1


def test_close_waits_for_calls_with_a_key_that_was_replaced(clock: Clock) -> None:
    old = GatedRenewingKey()
    new = Ed25519Key(OTHER_SEED)
    old.replacement = new
    signer = Signer(old, clock=clock)
    running = in_thread(lambda: signer.sign(b"abc"))
    old.wait_entered()
    clock.advance(10)
    signer.sign(b"abc")

    closing = in_thread(signer.close)
    assert new.was_closed.wait(PATIENCE)
    assert (closing.is_over, old.closed) == (False, 0)
    old.gate.set()

    closing.result()
    assert (running.result(), old.closed) == (signature_by(old), 1)


def test_replaced_keys_are_forgotten_when_they_are_closed(clock: Clock) -> None:
    made: list[weakref.ref[SigningKey]] = []

    def fresh(_: Deadline) -> SigningKey:
        key = RenewingKey(fresh)
        made.append(weakref.ref(key))
        return key

    signer = Signer(fresh(Deadline.after(None)), clock=clock)
    for _ in range(20):
        clock.advance(10)
        signer.sign(b"abc")
    gc.collect()
    assert len(made) == 21
    assert [each() for each in made[:-2]] == [None] * 19  # the last one is in use, and the one before just left it


def test_close_ends_the_waits_of_a_renewal_and_waits_for_its_end(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    entered = threading.Event()

    def waits(deadline: Deadline) -> SigningKey:
        entered.set()
        deadline.sleep(10 * PATIENCE)
        return NEW

    key = RenewingKey(waits)
    signer = Signer(key, clock=clock)
    clock.advance(10)
    signing = in_thread(lambda: signer.sign(b"abc"))
    assert entered.wait(PATIENCE)
    signer.close()
    assert signing.result() == signature_by(key)  # it began before the close
    assert key.closed == 1
    assert messages_of(caplog) == []


def test_key_that_comes_after_the_close_is_closed(clock: Clock) -> None:
    new = Ed25519Key(OTHER_SEED)
    entered = threading.Event()

    def comes_late(deadline: Deadline) -> SigningKey:
        entered.set()
        with pytest.raises(SignCancelledError):
            deadline.sleep(10 * PATIENCE)  # until the close
        assert old.closed == 0
        return new

    old = RenewingKey(comes_late)
    signer = Signer(old, clock=clock)
    clock.advance(10)
    signing = in_thread(lambda: signer.sign(b"abc"))
    assert entered.wait(PATIENCE)
    signer.close()
    assert signing.result() == signature_by(old)
    assert (old.closed, new.closed) == (1, 1)


def test_closed_signer_renews_nothing(clock: Clock) -> None:
    key = RenewingKey()
    signer = Signer(key, clock=clock)
    signer.close()
    clock.advance(10)
    with pytest.raises(SignerClosedError):
        signer.sign(b"abc")
    assert key.renewals == 0


def test_key_stays_in_use_when_no_thread_can_be_started(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: object) -> None:
        raise RuntimeError("can't start new thread")

    key = RenewingKey()
    signer = Signer(key, clock=clock)
    clock.advance(10)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuses)
        assert signer.sign(b"abc") == signature_by(key)
    signer.sign(b"abc")
    assert key.renewals == 1


def test_signing_renewing_and_closing_at_once(clock: Clock) -> None:
    """Whatever comes in between: each signature is by one of the keys, and each key is closed once, at the end."""
    made: list[RenewingKey] = []
    renewed_often = threading.Event()

    def fresh(_: Deadline) -> SigningKey:
        made.append(RenewingKey(fresh))
        if len(made) > 5:
            renewed_often.set()
        return made[-1]

    def sign(signer: Signer) -> Callable[[], int]:
        def until_closed() -> int:
            count = 0
            while True:
                clock.advance(1)
                try:
                    assert signer.sign(b"abc") == signature_by(made[0])
                except SignerClosedError:
                    return count
                count += 1

        return until_closed

    for _ in range(10):
        made.clear()
        renewed_often.clear()
        signer = Signer(fresh(Deadline.after(None)), clock=clock)
        running = [in_thread(sign(signer)) for _ in range(4)]
        assert renewed_often.wait(PATIENCE)
        signer.close()
        assert all(each.result() >= 0 for each in running)
        assert [each.closed for each in made] == [1] * len(made)
