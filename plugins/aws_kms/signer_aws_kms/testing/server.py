"""FakeKms: the server, and everything that a test says to it."""

import os
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Self

from signer_aws_kms.testing.account import Account
from signer_aws_kms.testing.connection import Connection
from signer_aws_kms.testing.environment import environment
from signer_aws_kms.testing.faults import Fault
from signer_aws_kms.testing.identities import ADMINISTRATOR, Identity
from signer_aws_kms.testing.injections import Injection, Injections
from signer_aws_kms.testing.keys import FakeKey
from signer_aws_kms.testing.listener import Listener
from signer_aws_kms.testing.service import OPERATIONS, Received, Service


class FakeKms:
    """A KMS of one account in one region, on a free port of 127.0.0.1, from :meth:`start` to :meth:`stop`.

    ``unseen``
        How many requests still see the state before a change that a request made (a new key, a new alias, an alias
        that moved, a key that was enabled or disabled): KMS is eventually consistent.
    ``latency``
        Seconds before each answer.
    ``tls``
        Serve HTTPS with this context.
    ``clock``
        The time of the server, in seconds since 1970, for its ``Date`` header and the checks of signatures.
    ``pause``
        How to wait for a number of seconds; by default until they are over, or the server stops.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        account: str = "111122223333",
        port: int = 0,
        unseen: int = 0,
        latency: float = 0.0,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self.region = region
        self.latency = latency
        self._port = port
        self._tls = tls
        self._clock = clock
        self._stopped = threading.Event()
        self._pause = pause or self._stopped.wait
        self._account = Account(id=account, region=region, clock=clock, unseen=unseen)
        self._injections = Injections()
        self._service = Service(self._account, self._injections, self._wait)
        self._listener: Listener | None = None
        #: Who may do everything.
        self.identity = self.add_identity()

    def start(self) -> Self:
        """Begin to listen, once: a server that was stopped does not start again."""
        if self._listener is not None:
            raise RuntimeError("the fake KMS was started already; make another one")
        self._listener = Listener(self._connection, port=self._port, tls=self._tls)
        return self

    def stop(self) -> None:
        """End all connections, also those that hang, and stop listening; twice is fine."""
        self._stopped.set()
        if self._listener is not None:
            self._listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """Where it answers."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._listening.port}"

    def environment(self, identity: Identity | None = None) -> dict[str, str]:
        """The variables that lead AWS's tools and the ``awskms`` backend here, and nowhere else.

        Where ``AWS_PROFILE`` or ``AWS_SESSION_TOKEN`` are set and not among them, unset those: they would win.
        """
        return environment(self.endpoint_url, self.region, identity or self.identity)

    def create_key(
        self,
        *,
        alias: str | None = None,
        spec: str = "ECC_NIST_EDWARDS25519",
        usage: str = "SIGN_VERIFY",
        description: str = "",
        multi_region: bool = False,
    ) -> FakeKey:
        """A new key, at once visible to everybody.

        ``alias`` (``alias/…``) means it from now on; ``spec`` and ``usage`` are KMS's ``KeySpec`` and ``KeyUsage``;
        ``multi_region`` makes a primary key with an id ``mrk-…``.
        """
        key = self._account.add_key(spec=spec, usage=usage, description=description, multi_region=multi_region)
        if alias is not None:
            self.set_alias(alias, key)
        return key

    def set_alias(self, alias: str, key: FakeKey) -> None:
        """Let ``alias`` mean this key, at once for everybody."""
        self._account.set_alias(alias, key)

    def key(self, name: str) -> FakeKey:
        """The key of that id, ARN, alias or alias ARN; LookupError if there is none."""
        key = self._account.named(name)
        if key is None:
            raise LookupError(f"there is no key {name}")
        return key

    def add_identity(
        self,
        name: str = "tester",
        *,
        policy: Mapping[str, Any] | str = ADMINISTRATOR,
        session_token: str | None = None,
        expires_at: float | None = None,
    ) -> Identity:
        """An access key of a new user: see :class:`Identity`."""
        temporary = session_token is not None
        identity = Identity(
            access_key_id=("ASIA" if temporary else "AKIA") + os.urandom(8).hex().upper(),
            secret_access_key=os.urandom(20).hex(),
            session_token=session_token,
            expires_at=expires_at,
            name=name,
            policy=policy,
        )
        self._service.identities[identity.access_key_id] = identity
        return identity

    def remove_identity(self, identity: Identity) -> None:
        """Let its access key be unknown from now on."""
        del self._service.identities[identity.access_key_id]

    def inject(
        self,
        fault: Fault,
        *,
        operation: str | None = None,
        key: FakeKey | None = None,
        times: int | None = 1,
        every: int = 1,
        skip: int = 0,
    ) -> Injection:
        """Let requests fail with ``fault``, one of :mod:`~signer_aws_kms.testing.faults` or your own.

        Which requests these are, :class:`Injection` tells; it says how many there were, too.
        """
        if operation is not None and operation not in OPERATIONS:
            raise ValueError(f"the fake KMS has no operation {operation!r}; it has {', '.join(OPERATIONS)}")
        injection = Injection(fault=fault, operation=operation, key=key, times=times, every=every, skip=skip)
        self._injections.add(injection)
        return injection

    def clear_faults(self) -> None:
        """Let all go well again."""
        self._injections.clear()

    def end_connections(self) -> None:
        """End the connections that are open now, as a server does with those that were idle for too long."""
        self._listening.end_connections()

    @property
    def requests(self) -> Counter[str]:
        """How many requests came, by operation; those with a wrong signature and those that met a fault count too."""
        return self._service.requests

    @property
    def received(self) -> tuple[Received, ...]:
        """The last hundred requests, the newest last."""
        return tuple(self._service.received)

    @property
    def connections_opened(self) -> int:
        """How many connections there were."""
        return self._listening.opened

    @property
    def connections_open(self) -> int:
        """How many connections there are now."""
        return self._listening.open

    @property
    def _listening(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("the fake KMS is not started; use it as a context manager, or call start()")
        return self._listener

    def _wait(self) -> None:
        if self.latency:
            self._pause(self.latency)

    def _connection(self, connected: Any) -> Connection:
        return Connection(
            connected, handle=self._service.handle, clock=self._clock, pause=self._pause, stopped=self._stopped
        )
