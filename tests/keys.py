"""Keys, clocks and events for the tests: nothing here waits for time to pass."""

import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Deadline, PublicKey, Signer, SigningKey
from signer_core.errors import SignerClosedError

#: RFC 8032, section 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
OTHER_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")

#: How long a test waits, in seconds, for something that happens at once unless there is a fault.
PATIENCE = 60.0


class Ed25519Key(SigningKey):
    """A key in memory, which counts how often it signed and was closed."""

    def __init__(self, seed: bytes = SEED, *, key_id: str = "test-key") -> None:
        self.private_key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public_key = PublicKey.from_cryptography(self.private_key.public_key())
        self._key_id = key_id
        self.deadlines: list[Deadline] = []
        self.closed = 0
        self.was_closed = threading.Event()

    @property
    def key_id(self) -> str:
        return self._key_id

    @property
    def public_key(self) -> PublicKey:
        return self._public_key

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        self.deadlines.append(deadline)
        return self.private_key.sign(message)

    def close(self) -> None:
        self.closed += 1
        self.was_closed.set()


class ScriptedKey(Ed25519Key):
    """A key whose attempts go as they were written down: an exception is raised, a function called, anything else
    returned; the rest of the attempts succeed.
    """

    def __init__(self, script: Iterable[Any] = (), **options: Any) -> None:
        super().__init__(**options)
        self.script = list(script)

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        signature = super().sign(message, deadline)
        if not self.script:
            return signature
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        result: bytes = step(message, deadline) if callable(step) else step
        return result


class GatedKey(Ed25519Key):
    """A key whose attempts wait at a gate: ``entered`` counts those that are there, ``gate.set()`` lets all through."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self._counting = threading.Lock()
        self.inside = 0
        self.most_inside = 0

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        with self._counting:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.entered.release()
        try:
            assert self.gate.wait(PATIENCE)
            return super().sign(message, deadline)
        finally:
            with self._counting:
                self.inside -= 1

    def wait_entered(self, calls: int = 1) -> None:
        for _ in range(calls):
            assert self.entered.acquire(timeout=PATIENCE)


class MeetingKey(Ed25519Key):
    """A key whose attempts wait until ``attempts`` of them are there at once; it counts how many were."""

    def __init__(self, attempts: int, *, concurrency: int | None = None) -> None:
        super().__init__()
        self._meeting = threading.Barrier(attempts)
        self._concurrency = concurrency
        self._counting = threading.Lock()
        self._inside = 0
        self.most_inside = 0

    @property
    def concurrency(self) -> int | None:
        return self._concurrency

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        with self._counting:
            self._inside += 1
            self.most_inside = max(self.most_inside, self._inside)
        try:
            self._meeting.wait(PATIENCE)
            return super().sign(message, deadline)
        finally:
            with self._counting:
                self._inside -= 1


class RenewingKey(Ed25519Key):
    """A key that wants to be renewed after 10 seconds, and does then what it was told to."""

    def __init__(self, renewal: Callable[[Deadline], SigningKey] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.renewal = renewal
        self.renewals = 0

    @property
    def renew_after(self) -> float | None:
        return 10.0

    def renew(self, deadline: Deadline) -> SigningKey:
        self.renewals += 1
        return self if self.renewal is None else self.renewal(deadline)


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class ClockedEvent(threading.Event):
    """A cancellation that is never given: each wait for it is over at once, and the clock has moved on."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        if not self.is_set():
            self.clock.advance(timeout or 0.0)
        return self.is_set()


def in_thread(function: Callable[[], Any]) -> "Running":
    """``function()`` in a thread of its own, already running."""
    return Running(function)


class Running:
    """A call in another thread; ``result()`` waits for its end and returns or raises what it did."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._function = function
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error

    @property
    def is_over(self) -> bool:
        return not self.thread.is_alive()

    def result(self) -> Any:
        self.thread.join(PATIENCE)
        assert self.is_over, "the call does not end"
        if self._error is not None:
            raise self._error
        return self._result


def until(condition: Callable[[], bool]) -> None:
    """Let other threads go on until they have brought about ``condition``.

    Only for what no event tells: that a close has begun shows in refused calls alone, and a key has no part in that. It
    looks a thousand times a second, and leaves the processor to what it waits for; a test that can wait for an event, a
    key or a thread does so.
    """
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.001)


class Threads:
    """The threads of signers that were started since this was made, and have not ended."""

    def __init__(self) -> None:
        self._before = set(threading.enumerate())

    def __len__(self) -> int:
        return sum(each.name.startswith("signer") for each in set(threading.enumerate()) - self._before)

    def wait_ended(self) -> None:
        until(lambda: len(self) == 0)


def refuses_calls(signer: Signer) -> bool:
    """Whether the signer is closed, or is being closed. An empty batch asks that, and nothing of the key."""
    try:
        signer.sign_many([])
    except SignerClosedError:
        return True
    return False


def chain_of(error: BaseException | None) -> list[BaseException]:
    """The error, its causes and its contexts."""
    chain: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in chain:
            chain.append(each)
            waiting += [each.__cause__, each.__context__]
    return chain


def assert_hides(secret: str, error: BaseException) -> None:
    """Neither the error nor what it came from holds the secret, in any form that somebody may print."""
    for each in chain_of(error):
        shown = f"{each} {each!r} {each.args!r} {vars(each)!r} {getattr(each, '__notes__', ())!r}"
        assert secret not in shown
        assert secret.encode() not in getattr(each, "object", b"")


def in_child(function: Callable[[], Any]) -> int:
    """The exit status of a forked child that calls ``function()``: 0 if it returned, 1 if it raised."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of Python 3.12: this process has threads; that is the point
        child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(int(PATIENCE))  # a child that hangs is killed, which no test takes for success
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
