"""The connections of one account to KMS: a bounded number, kept alive, handed out in the order of asking."""

import threading
import time
from collections import deque
from collections.abc import Callable

from signer_aws_kms.answer import Answer
from signer_aws_kms.connection import Connection, Dialer, StaleError
from signer_core.deadline import Deadline
from signer_core.forks import tell_after_fork

#: Seconds after which an idle connection is not trusted any more: machines on the way may have forgotten it silently.
LONGEST_IDLE = 45.0


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
        self._waiting: deque[_Waiter] = deque()

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
        any other takes a new one at once. Raises what :class:`Connection` and :class:`Dialer` raise, and what a
        :class:`Deadline` does.
        """
        connection = self._take(deadline, fresh=not repeatable)
        try:
            answer = connection.exchange(request, deadline)
        except StaleError:
            self._close(connection)
            connection = self._open_one(deadline)
            try:
                answer = connection.exchange(request, deadline)
            except BaseException:
                self._discard(connection)
                raise
        except BaseException:
            self._discard(connection)
            raise
        if answer.reusable:
            self._give_back(connection)
        else:
            self._discard(connection)
        return answer

    def close_idle(self) -> None:
        """Close the connections that nobody uses now. The pool goes on."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._free += len(idle)
        for connection in idle:
            self._close(connection)

    def _take(self, deadline: Deadline, *, fresh: bool) -> Connection:
        waiter = None
        connection = None
        with self._lock:
            if self._idle:
                connection = self._idle.pop()  # the one that was used last: the others may end as idle
            elif self._free:
                self._free -= 1
            else:
                waiter = _Waiter()
                self._waiting.append(waiter)
        if waiter is not None:
            connection = self._wait(waiter, deadline)
        if connection is not None:
            if not fresh and self._clock() - connection.idle_since <= LONGEST_IDLE:
                return connection
            self._close(connection)
        return self._open_one(deadline)

    def _wait(self, waiter: "_Waiter", deadline: Deadline) -> Connection | None:
        """The connection that was handed to ``waiter``; None for a place to open one."""
        served = False
        try:
            served = deadline.wait(waiter.served)
        finally:
            if not served:
                self._withdraw(waiter)
        if not served:
            deadline.check()
            raise TimeoutError("all connections were busy")
        return waiter.connection

    def _withdraw(self, waiter: "_Waiter") -> None:
        with self._lock:
            waits = waiter in self._waiting
            if waits:
                self._waiting.remove(waiter)
        if not waits:  # served in the last moment
            self._hand_on(waiter.connection)

    def _open_one(self, deadline: Deadline) -> Connection:
        """A new connection, in a place that is ours already."""
        try:
            connection = self._dialer.open(deadline)
        except BaseException:
            self._hand_on(None)
            raise
        self._open.add(connection)
        return connection

    def _give_back(self, connection: Connection) -> None:
        connection.idle_since = self._clock()
        self._hand_on(connection)
        self._close_old(connection.idle_since - LONGEST_IDLE)

    def _close_old(self, before: float) -> None:
        """Close one that was idle for too long: after a burst the others go one by one."""
        with self._lock:
            if not self._idle or self._idle[0].idle_since >= before:
                return
            old = self._idle.pop(0)
            self._free += 1
        self._close(old)

    def _discard(self, connection: Connection) -> None:
        self._close(connection)
        self._hand_on(None)

    def _hand_on(self, connection: Connection | None) -> None:
        """Give a connection, or a place to open one, to whoever waits longest; else keep it."""
        with self._lock:
            if self._waiting:
                waiter = self._waiting.popleft()
                waiter.connection = connection
                waiter.served.set()
            elif connection is not None:
                self._idle.append(connection)
            else:
                self._free += 1

    def _close(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.close()


class _Waiter:
    """A call that waits for a connection."""

    __slots__ = ("connection", "served")

    def __init__(self) -> None:
        self.served = threading.Event()
        self.connection: Connection | None = None
