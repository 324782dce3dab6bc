"""What must hold of calls that are limited or called off, and of closing."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

from signer_core.errors import DeadlineExceededError, SignCancelledError, SignerClosedError
from signer_core.factory import create_signer
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE, Config, Fixtures
from signer_core.testing.outcomes import refused, within

TIMEOUT = 0.25


class Lifetime(Fixtures):
    """Tests of how calls and signers end."""

    def test_cancelled_before(self, signer: Signer) -> None:
        """A call whose ``cancel`` is set already signs nothing."""
        cancel = threading.Event()
        cancel.set()
        refused(SignCancelledError, lambda: signer.sign(b"message", cancel=cancel))

    def test_opening_cancelled_before(self, config: Config) -> None:
        """An opening whose ``cancel`` is set already opens nothing."""
        cancel = threading.Event()
        cancel.set()
        refused(SignCancelledError, lambda: create_signer(config, cancel=cancel))

    def test_cancel_that_is_never_set(self, signer: Signer) -> None:
        """A call that could be called off, and is not, signs as any other."""
        signer.public_key.verify(signer.sign(b"message", cancel=threading.Event()), b"message")

    def test_timeout(self, signer: Signer) -> None:
        """A call with a short timeout has ended by then: with a right signature, or with DeadlineExceededError."""
        with within(TIMEOUT + self.grace):
            try:
                signature = signer.sign(b"message", timeout=TIMEOUT)
            except DeadlineExceededError:
                return
        signer.public_key.verify(signature, b"message")

    def test_long_timeout(self, signer: Signer) -> None:
        """A call with time enough signs as any other."""
        signer.public_key.verify(signer.sign(b"message", timeout=PATIENCE), b"message")

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
                own_signer.public_key.verify(own_signer.sign(message), message)
                busy.wait(PATIENCE)
            except BaseException:
                busy.abort()
                raise
            while True:
                try:
                    signature = own_signer.sign(message)
                except SignerClosedError:
                    return
                own_signer.public_key.verify(signature, message)

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
        signer.public_key.verify(signer.sign(b"message"), b"message")
