"""How the work on many files ends by a signal: in good order at the first one, and at once at a second Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping
from types import FrameType


class Terminated(KeyboardInterrupt):
    """Another signal that ends the program, as an interrupt is raised: between any two instructions."""

    def __init__(self, number: int) -> None:
        super().__init__()
        #: The exit status, as shells have it.
        self.status = 128 + number


class Interruption:
    """The signal that ends the work, which may have come already."""

    def __init__(self) -> None:
        self._came: int | None = None
        self._is_held = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is done in here is done as a whole: a signal is raised at its end."""
        before, self._is_held = self._is_held, True
        try:
            yield
        finally:
            self._is_held = before
        if self._came is not None and not before:
            self._raise()

    def come(self, number: int) -> None:
        """Raise the signal, now or when it can be."""
        self._came = number
        if not self._is_held:
            self._raise()

    def _raise(self) -> None:
        raise KeyboardInterrupt if self._came == signal.SIGINT else Terminated(self._came or 0)


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """Let SIGINT, SIGTERM and SIGHUP be raised in here, once; SIGINT ends the process when it comes again.

    The others, come again, are ignored: a shell whose terminal is closed, and timeout(1), send theirs twice. What is
    ignored from the start, as nohup(1) has it, stays so, and so does what the program around this has for a signal.
    """
    interruption = Interruption()
    before = _handled_by_default()

    def handle(number: int, _: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL if each == signal.SIGINT else signal.SIG_IGN)
        interruption.come(number)

    with _restored(before), _restored(before):  # twice: the one signal that is raised may come in the first end
        for each in before:
            signal.signal(each, handle)
        yield interruption


@contextlib.contextmanager
def _restored(handlers: "Mapping[signal.Signals, signal._HANDLER]") -> Iterator[None]:
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _handled_by_default() -> "dict[signal.Signals, signal._HANDLER]":
    if threading.current_thread() is not threading.main_thread():  # no other may say what is done about signals
        return {}
    defaults = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
    handlers = {getattr(signal, name): handler for name, handler in defaults.items() if hasattr(signal, name)}
    return {number: handler for number, handler in handlers.items() if signal.getsignal(number) == handler}
