"""What must hold of calls that are limited or called off, and of closing."""

import asyncio
import contextlib
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from signer_core.deadline import Deadline
from signer_core.errors import DeadlineExceededError, SignCancelledError, SignerClosedError
from signer_core.factory import create_signer
from signer_core.hookspecs import SigningKey
from signer_core.plugins import BackendPlugin
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE, Config, Fixtures
from signer_core.testing.outcomes import assert_good, ended, in_time, outcome, refused, started
from signer_core.testing.watched_key import WatchedKey

TIMEOUT = 0.25


class Lifetime(Fixtures):
    """Tests of how calls and signers end."""

    def test_cancelled_before(self, signer: Signer, key: SigningKey) -> None:
        """A call whose ``cancel`` is set already signs nothing. The plugin's own ``sign``, which is given such a
        deadline, raises SignCancelledError or signs.
        """
        cancel = threading.Event()
        cancel.set()
        refused(SignCancelledError, lambda: signer.sign(b"message", cancel=cancel))
        assert_good(key, ended(lambda: key.sign(b"message", Deadline.after(None, cancel=cancel)), SignCancelledError))

    def test_opening_cancelled_before(self, config: Config, plugin: BackendPlugin, options: Any) -> None:
        """An opening whose ``cancel`` is set already opens nothing. The plugin's own ``signer_open``, which is given
        such a deadline, raises SignCancelledError or opens the key.
        """
        cancel = threading.Event()
        cancel.set()
        refused(SignCancelledError, lambda: create_signer(config, cancel=cancel))
        opened = ended(lambda: plugin.open(options, Deadline.after(PATIENCE, cancel=cancel)), SignCancelledError)
        if isinstance(opened, SigningKey):
            opened.close()

    def test_cancelled_during(self, key: SigningKey) -> None:
        """A call that is called off while it runs ends with its signature or with SignCancelledError, and takes nothing
        from the calls after it.
        """
        cancel = threading.Event()
        watched = WatchedKey(key)
        signer = Signer(watched, timeout=PATIENCE)
        signing = started(lambda: ended(lambda: signer.sign(b"message", cancel=cancel), SignCancelledError))
        watched.begun.wait(PATIENCE)
        cancel.set()
        assert_good(key, outcome(signing))
        assert_good(key, signer.sign(b"message"))

    def test_timeout(self, signer: Signer) -> None:
        """A call with a short timeout has ended by then: with a right signature, or with DeadlineExceededError."""
        limit = TIMEOUT + self.grace
        assert_good(
            signer,
            in_time(limit, lambda: ended(lambda: signer.sign(b"message", timeout=TIMEOUT), DeadlineExceededError)),
        )

    def test_opening_timeout(self, config: Config) -> None:
        """An opening with a short timeout has ended by then: with a signer, or with DeadlineExceededError."""
        limit = TIMEOUT + self.grace
        opened = in_time(limit, lambda: ended(lambda: create_signer(config, timeout=TIMEOUT), DeadlineExceededError))
        if isinstance(opened, Signer):
            opened.close()

    def test_deadline_that_is_over(self, key: SigningKey) -> None:
        """The plugin's own ``sign``, which has no time left, ends at once: with a right signature, or with
        DeadlineExceededError.
        """
        assert_good(
            key,
            in_time(self.grace, lambda: ended(lambda: key.sign(b"message", Deadline.after(0)), DeadlineExceededError)),
        )

    def test_no_limit(self, signer: Signer, key: SigningKey) -> None:
        """A call without a limit signs as any other: ``deadline.remaining()`` is None there."""
        assert_good(signer, signer.sign(b"message", timeout=math.inf))
        assert_good(key, key.sign(b"message", Deadline.after(None)))

    def test_long_timeout(self, signer: Signer) -> None:
        """A call with time enough signs as any other."""
        assert_good(signer, signer.sign(b"message", timeout=PATIENCE))

    def test_close_twice(self, own_signer: Signer) -> None:
        """Closing a signer twice is fine."""
        own_signer.close()
        own_signer.close()

    def test_use_after_close(self, own_signer: Signer) -> None:
        """A closed signer refuses every call, and still says whose it was."""
        key_id, public_key = own_signer.key_id, own_signer.public_key
        own_signer.close()
        refused(SignerClosedError, lambda: own_signer.sign(b"message"))
        refused(SignerClosedError, lambda: own_signer.sign_many([b"message"]))
        refused(SignerClosedError, lambda: asyncio.run(own_signer.sign_async(b"message")))
        assert (own_signer.key_id, own_signer.public_key) == (key_id, public_key)

    def test_close_during_use(self, own_signer: Signer) -> None:
        """While a signer is closed, each running call ends with a right signature, and each later one is refused."""
        threads = 8
        busy = threading.Barrier(threads + 1)

        def sign_until_closed(number: int) -> None:
            message = b"thread %d" % number
            try:
                assert_good(own_signer, own_signer.sign(message), message)
                busy.wait(PATIENCE)
            except BaseException:
                busy.abort()
                raise
            while True:
                try:
                    signature = own_signer.sign(message)
                except SignerClosedError:
                    return
                assert_good(own_signer, signature, message)

        with ThreadPoolExecutor(threads) as executor:
            ends = [executor.submit(sign_until_closed, number) for number in range(threads)]
            with contextlib.suppress(threading.BrokenBarrierError):
                busy.wait(PATIENCE)
            own_signer.close()
            errors = [error for end in ends if (error := end.exception(PATIENCE)) is not None]
        for error in errors:
            if not isinstance(error, threading.BrokenBarrierError):
                raise error

    def test_closing_one_signer_leaves_the_others(self, signer: Signer, config: Config) -> None:
        """Who closes one signer of a key takes nothing from the other signers of that key."""
        create_signer(config).close()
        assert_good(signer, signer.sign(b"message"))
