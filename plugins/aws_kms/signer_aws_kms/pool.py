"""The connections of one account to KMS: a bounded number, kept alive, handed out in the order of asking."""

import contextlib
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from signer_aws_kms.answer import Answer
from signer_aws_kms.connection import Connection, StaleError
from signer_aws_kms.dialer import Dialer
from signer_core.deadline import Deadline
from signer_core.forks import tell_after_fork

#: Seconds after which an idle connection is not trusted any more: machines on the way may have forgotten it silently.
LONGEST_IDLE = 45.0


class BusyError(TimeoutError):
    """No connection became free in time, so nothing was sent."""


class _Call:
    """One call, and what it has of the pool."""

    #: It counts as one of the pool's connections, whether it has one yet or not.
    placed = False
    connection: Connection | None = None
    #: The connection, if there is one, can serve another call.
    lasting = True
    #: Set when somebody gave it a place; made by a call that has to wait.
    served: threading.Event | None = None
    #: Who was given the place of this call.
    successor: "_Call | None" = None


class Pool:
    """At most ``size`` connections at once. Whoever comes when all are busy waits, and is served in order."""

    def __init__(self, dialer: Dialer, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._dialer = dialer
        self._size = size
        self._clock = clock
        self._open: set[Connection] = set()
        self._start()
        tell_after_fork(self)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._free = self._size
        self._idle: list[Connection] = []
        self._waiting: deque[_Call] = deque()

    def forget_other_threads(self) -> None:
        """In a forked child: its parent's connections are not its own, and nobody gives back what was handed out."""
        for connection in self._open:
            connection.close()  # this process' copy; the parent's goes on
        self._open.clear()
        self._start()
        self._dialer.forget_other_threads()

    def exchange(self, request: bytes, deadline: Deadline, *, repeatable: bool) -> Answer:
        """The answer to ``request``, over a connection of the pool.

        A ``repeatable`` request that met a connection which the server had closed is sent again, once, over a new one;
        any other takes a new one at once. Raises :class:`BusyError`, what :class:`Connection` and :class:`Dialer`
        raise, and what a :class:`Deadline` does.
        """
        call = _Call()
        try:
            self._enter(call, deadline)
            answer = self._answer(call, request, deadline, repeatable=repeatable)
        finally:
            # Ctrl-C may come after any call. So whatever belongs together is changed without a call in between, and
            # leaving twice is leaving once.
            try:
                self._leave(call)
            except BaseException:
                self._leave(call)
                raise
        return answer

    def close_idle(self) -> None:
        """Close the connections that nobody uses now. The pool goes on."""
        self._close_idle(before=math.inf)

    def _enter(self, call: _Call, deadline: Deadline) -> None:
        """Give ``call`` a place, and an idle connection if there is one."""
        with self._lock:
            if self._idle:
                call.connection = self._idle[-1]  # the one that was used last: the others may end as idle
                del self._idle[-1]
                call.placed = True
            elif self._free:
                self._free -= 1
                call.placed = True
            else:
                call.served = threading.Event()
                self._waiting.append(call)
        if call.served is not None and not deadline.wait(call.served):
            with contextlib.suppress(TimeoutError):
                deadline.check()  # perhaps it was called off
            raise BusyError

    def _answer(self, call: _Call, request: bytes, deadline: Deadline, *, repeatable: bool) -> Answer:
        connection = call.connection
        call.lasting = False
        if connection is not None:
            trusted = self._clock() - connection.idle_since <= LONGEST_IDLE and connection.is_quiet()
            if repeatable and trusted:
                sent_at = self._clock()
                try:
                    return self._exchanged(call, connection, request, deadline)
                except StaleError:
                    pass
                except TimeoutError:
                    # What swallows one without a word, such as a change of the network, has swallowed all that are as
                    # old; no further attempt shall have to find out.
                    self._close_idle(before=sent_at)
                    raise
            self._close(connection)
        connection = call.connection = self._dialer.open(deadline)
        self._open.add(connection)
        return self._exchanged(call, connection, request, deadline)

    def _exchanged(self, call: _Call, connection: Connection, request: bytes, deadline: Deadline) -> Answer:
        answer = connection.exchange(request, deadline)
        connection.idle_since = self._clock()
        call.lasting = answer.reusable
        return answer

    def _leave(self, call: _Call) -> None:
        """Hand on the place of ``call``, with its connection if that is to last, or leave the queue."""
        if call.connection is not None and not call.lasting:
            self._close(call.connection)
        with self._lock:
            if call.placed:
                kept = call.connection if call.lasting else None
                call.placed = False
                if self._waiting:
                    call.successor = self._waiting[0]
                    del self._waiting[0]
                    call.successor.connection = kept
                    call.successor.placed = True
                elif kept is not None:
                    self._idle += (kept,)
                else:
                    self._free += 1
            elif call in self._waiting:
                self._waiting.remove(call)
        if call.successor is not None and call.successor.served is not None:
            call.successor.served.set()
        self._close_idle(before=self._clock() - LONGEST_IDLE)

    def _close_idle(self, *, before: float) -> None:
        """Close those that nobody has used since ``before``."""
        with self._lock:
            # They stand in the order in which they became idle.
            old = list(itertools.takewhile(lambda each: each.idle_since < before, self._idle))
            rest, free = self._idle[len(old) :], self._free + len(old)
            self._idle, self._free = rest, free
        for connection in old:
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.close()
