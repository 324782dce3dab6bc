"""What a Signer promises of digests: what it promises of messages, and no more than the algorithm allows."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from signer_core import Algorithm, Deadline, PublicKey, Signer, SignEvent, SigningKey, create_signer, hookimpl
from signer_core.algorithms import FACTS
from signer_core.errors import (
    BackendUnavailableError,
    DeadlineExceededError,
    InvalidSignatureError,
    KeyMismatchError,
    PluginContractError,
    PolicyViolationError,
    SignatureVerificationError,
    SignCancelledError,
    SignerClosedError,
    UnsupportedAlgorithmError,
)
from signer_noop import NoopKey
from tests.keys import PATIENCE, Clock, Ed25519Key, in_child, in_thread, until
from tests.strategies import private_key

DIGEST = hashlib.sha256(b"message").digest()
ALGORITHM = Algorithm.ECDSA_P256_SHA256


class MessagesOnly(SigningKey):
    """An ECDSA key whose backend takes messages and nothing else."""

    def __init__(self, number: int = 1) -> None:
        self.private_key = private_key(ALGORITHM, number)
        self._public_key = PublicKey.from_cryptography(self.private_key.public_key())

    @property
    def key_id(self) -> str:
        return "ecdsa-key"

    @property
    def public_key(self) -> PublicKey:
        return self._public_key

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        signature: bytes = self.private_key.sign(message, ec.ECDSA(SHA256()))
        return signature


class DigestKey(MessagesOnly):
    """One that takes digests, too, and does with them as was written down: see ScriptedKey."""

    def __init__(self, script: Iterable[Any] = (), number: int = 1) -> None:
        super().__init__(number)
        self.script = list(script)
        self.given: list[tuple[bytes, Deadline]] = []
        self.closed = 0

    def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
        self.given.append((digest, deadline))
        signature: bytes = self.private_key.sign(digest, ec.ECDSA(Prehashed(SHA256())))
        step = self.script.pop(0) if self.script else signature
        if isinstance(step, BaseException):
            raise step
        result: bytes = step(digest, deadline) if callable(step) else step
        return result

    def close(self) -> None:
        self.closed += 1


def sign_async(signer: Signer, digest: Any, **options: Any) -> bytes:
    return asyncio.run(signer.sign_digest_async(digest, **options))


#: Each way to have a digest signed.
BOTH = pytest.mark.parametrize("sign", [Signer.sign_digest, sign_async], ids=["sync", "async"])

Sign = Callable[..., bytes]


# --- what is signed --------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("algorithm", [each for each in Algorithm if each is not Algorithm.ED25519])
def test_signature_is_one_over_the_message(algorithm: Algorithm, sign: Sign) -> None:
    with create_signer({"backend": "noop", "algorithm": algorithm.value}) as signer:
        hasher = signer.hasher()
        hasher.update(b"mess")
        hasher.update(b"age")
        signature = sign(signer, hasher.digest())
        signer.public_key.verify(signature, b"message")
        signer.public_key.verify_digest(signature, hasher.digest())
        with pytest.raises(InvalidSignatureError):
            signer.public_key.verify(signature, b"massage")


@BOTH
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_digest_is_bytes_bytearray_or_memoryview(kind: Any, sign: Sign) -> None:
    key = DigestKey()
    with Signer(key) as signer:
        signer.public_key.verify(sign(signer, kind(DIGEST)), b"message")
    assert [(type(digest), digest) for digest, _ in key.given] == [(bytes, DIGEST)]


@BOTH
@pytest.mark.parametrize("digest", [DIGEST.hex(), None, hashlib.sha256(), 32])
def test_digest_of_another_type_is_a_type_error(digest: Any, sign: Sign) -> None:
    key = DigestKey()
    with Signer(key) as signer, pytest.raises(TypeError, match="digest must be bytes, bytearray or memoryview, not"):
        sign(signer, digest)
    assert key.given == []


@BOTH
@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_digest_of_another_length_is_a_value_error(size: int, sign: Sign) -> None:
    key, told = DigestKey(), Told()
    with Signer(key, extensions={"told": told}) as signer:
        with pytest.raises(ValueError, match=rf"digest must have 32 bytes \(sha256\), not {size}"):
            sign(signer, bytes(size))
        with pytest.raises(ValueError, match=rf"digest must have 32 bytes \(sha256\), not {size}"):
            signer.public_key.verify_digest(b"", bytes(size))
    assert (key.given, told.events) == ([], [])


def test_verify_digest_takes_bytes_bytearray_or_memoryview() -> None:
    signature = DigestKey().sign_digest(DIGEST, Deadline.after(None))
    for kind in (bytes, bytearray, memoryview):
        DigestKey().public_key.verify_digest(kind(signature), kind(DIGEST))
    for wrong in ((signature, "digest"), ("signature", DIGEST)):
        with pytest.raises(TypeError, match=r"(signature|digest) must be bytes, bytearray or memoryview, not str"):
            DigestKey().public_key.verify_digest(*wrong)


# --- who signs none --------------------------------------------------------------------------------------------------


@BOTH
def test_algorithm_that_takes_the_message_whole_says_so(sign: Sign) -> None:
    class Wishful(Ed25519Key):
        def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
            return self.sign(digest, deadline)

    for key in (Ed25519Key(), Wishful()):
        told = Told()
        with Signer(key, backend="vault", extensions={"told": told}) as signer:
            for call in (lambda: sign(signer, bytes(32)), signer.hasher):
                with pytest.raises(UnsupportedAlgorithmError, match=r"^ed25519 signs no digests; .*\(Ed25519ph\)"):
                    call()
        assert (key.deadlines, told.events) == ([], [])


@BOTH
@pytest.mark.parametrize(
    ("backend", "named"), [("vault", "the backend 'vault'"), (None, r"tests\.test_sign_digest\.MessagesOnly")]
)
def test_backend_that_signs_no_digests_is_named(backend: str | None, named: str, sign: Sign) -> None:
    told = Told()
    with Signer(MessagesOnly(), backend=backend, extensions={"told": told}) as signer:
        for call in (lambda: sign(signer, DIGEST), signer.hasher):
            with pytest.raises(UnsupportedAlgorithmError, match=f"^{named} signs no digests; sign the message itself$"):
                call()
    assert told.events == []


@pytest.mark.parametrize("key", [Ed25519Key(), MessagesOnly()])
def test_key_itself_refuses_unless_its_author_says_otherwise(key: SigningKey) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="signs no digests"):
        key.sign_digest(DIGEST, Deadline.after(None))


@pytest.mark.parametrize("algorithm", Algorithm)
def test_local_keys_sign_digests_where_the_algorithm_allows(algorithm: Algorithm, tmp_path: Any) -> None:
    from signer_file.key import FileKey
    from signer_noop import NoopKey

    private = private_key(algorithm)
    keys = [FileKey(tmp_path, private, algorithm), NoopKey(private, algorithm, reopens=False)]
    for key in keys:
        if FACTS[algorithm].scheme.prehash is None:
            with pytest.raises(UnsupportedAlgorithmError, match="ed25519 signs no digests"):
                key.sign_digest(bytes(32), Deadline.after(None))
        else:
            hasher = key.public_key.hasher()
            hasher.update(b"message")
            key.public_key.verify(key.sign_digest(hasher.digest(), Deadline.after(None)), b"message")


# --- as any other call -----------------------------------------------------------------------------------------------


@BOTH
def test_wrong_signature_is_never_returned(sign: Sign) -> None:
    wrong = DigestKey(number=2).sign_digest(DIGEST, Deadline.after(None))
    with pytest.raises(SignatureVerificationError, match="it was thrown away"):
        sign(Signer(DigestKey([wrong])), DIGEST)
    assert sign(Signer(DigestKey([wrong]), verify=False), DIGEST) == wrong


@BOTH
def test_retries_and_budget(sign: Sign) -> None:
    clock = Clock()
    key = DigestKey([BackendUnavailableError("down")])
    with Signer(key, timeout=60, attempt_timeout=5, max_retries=1, clock=clock, jitter=lambda _: 0.0) as signer:
        signer.public_key.verify(sign(signer, DIGEST), b"message")
        sign(signer, DIGEST, timeout=3)
    assert [deadline.remaining() for _, deadline in key.given] == [5, 5, 3]


@BOTH
def test_budget_that_is_used_up(sign: Sign) -> None:
    clock = Clock()

    def fail(_: bytes, __: Deadline) -> bytes:
        clock.advance(10)
        raise BackendUnavailableError("down")

    with pytest.raises(DeadlineExceededError, match="no success within 10s: 1 attempt in 10s; last: down"):
        sign(Signer(DigestKey([fail]), timeout=10, max_retries=3, clock=clock), DIGEST)


def test_cancelled_before_the_call_there_is_no_attempt() -> None:
    cancel = threading.Event()
    cancel.set()
    key = DigestKey()
    with pytest.raises(SignCancelledError):
        Signer(key).sign_digest(DIGEST, cancel=cancel)
    assert key.given == []


@BOTH
@pytest.mark.parametrize(
    ("step", "message"),
    [
        (RuntimeError("hunter2"), r"DigestKey\.sign_digest raised RuntimeError instead of a SignError"),
        (lambda *_: bytearray(70), r"DigestKey\.sign_digest returned bytearray instead of bytes"),
    ],
)
def test_key_that_breaks_the_contract(step: Any, message: str, sign: Sign) -> None:
    with pytest.raises(PluginContractError, match=message) as caught:
        sign(Signer(DigestKey([step])), DIGEST)
    assert "hunter2" not in str(caught.value)


@BOTH
def test_closed_signer_refuses(sign: Sign) -> None:
    key = DigestKey()
    signer = Signer(key)
    signer.close()
    with pytest.raises(SignerClosedError):
        sign(signer, DIGEST)
    assert (key.given, key.closed) == ([], 1)


def test_closed_signer_gives_no_hasher() -> None:
    signer = Signer(DigestKey())
    signer.close()
    with pytest.raises(SignerClosedError):
        signer.hasher()


@BOTH
def test_close_waits_for_a_running_call(sign: Sign) -> None:
    entered, gate = threading.Event(), threading.Event()
    signature = DigestKey().sign_digest(DIGEST, Deadline.after(None))

    def wait(_: bytes, __: Deadline) -> bytes:
        entered.set()
        assert gate.wait(PATIENCE)
        return signature

    key = DigestKey([wait])
    signer = Signer(key)
    signing = in_thread(lambda: sign(signer, DIGEST))
    assert entered.wait(PATIENCE)
    closing = in_thread(signer.close)
    until(lambda: signer._key.open_key.retired)
    assert (closing.is_over, key.closed) == (False, 0)
    gate.set()
    closing.result()
    assert (signing.result(), key.closed) == (signature, 1)


class Renewing(DigestKey):
    """After 10 seconds the name means another key."""

    def __init__(self, new: SigningKey) -> None:
        super().__init__()
        self.new = new

    @property
    def renew_after(self) -> float | None:
        return 10.0

    def renew(self, deadline: Deadline) -> SigningKey:
        return self.new


@BOTH
def test_renewal_changes_the_key_of_the_next_call(sign: Sign) -> None:
    clock, new = Clock(), DigestKey(number=2)
    with Signer(Renewing(new), clock=clock) as signer:
        sign(signer, DIGEST)
        clock.advance(10)
        new.public_key.verify(sign(signer, DIGEST), b"message")


class RenewingNoop(NoopKey):
    """An ML-DSA key that becomes another one after 10 seconds."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        super().__init__(private_key(Algorithm.ML_DSA_44, numbers[0]), Algorithm.ML_DSA_44, reopens=False)

    @property
    def renew_after(self) -> float | None:
        return 10.0

    def renew(self, deadline: Deadline) -> SigningKey:
        return RenewingNoop(*self.numbers[1:]) if self.numbers[1:] else self


@BOTH
def test_mu_for_a_key_that_was_renewed_meanwhile_gives_no_signature_over_the_message(sign: Sign) -> None:
    clock = Clock()
    with Signer(RenewingNoop(1, 2), clock=clock) as signer:
        before, hasher = signer.public_key, signer.hasher()
        hasher.update(b"message")
        clock.advance(10)
        signature = sign(signer, hasher.digest())
        assert signer.public_key != before
        for key in (before, signer.public_key):
            with pytest.raises(InvalidSignatureError):
                key.verify(signature, b"message")


@BOTH
def test_renewal_is_held_to_the_pins(sign: Sign) -> None:
    clock, new = Clock(), DigestKey(number=2)
    signer = Signer(Renewing(new), clock=clock, expected_address=DigestKey().public_key.address.hex())
    clock.advance(10)
    DigestKey().public_key.verify(sign(signer, DIGEST), b"message")
    with pytest.raises(KeyMismatchError):
        Signer(new, expected_address=DigestKey().public_key.address.hex())


def test_child_after_fork_signs() -> None:
    with Signer(DigestKey()) as signer:
        signer.sign_digest(DIGEST)

        def child() -> None:
            signer.public_key.verify(signer.sign_digest(DIGEST), b"message")

        assert in_child(child) == 0


# --- extensions ------------------------------------------------------------------------------------------------------


class Told:
    """An extension that can do without the message."""

    needs_message = False

    def __init__(self) -> None:
        self.events: list[SignEvent] = []
        self.outcomes: list[tuple[bytes | None, Exception | None]] = []

    @hookimpl
    def signer_before_sign(self, event: SignEvent) -> None:
        self.events.append(event)

    @hookimpl
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> None:
        assert event is self.events[-1]
        self.outcomes.append((signature, error))


class Judging(Told):
    """One that needs it."""

    needs_message = True


class AfterOnly:
    """One that says nothing of it, and watches only."""

    def __init__(self) -> None:
        self.told: list[SignEvent] = []

    @hookimpl
    def signer_after_sign(self, event: SignEvent) -> None:
        self.told.append(event)


@BOTH
def test_event_has_the_digest_and_no_message(sign: Sign) -> None:
    told = Told()
    with Signer(DigestKey(), name="n", backend="b", extensions={"told": told}) as signer:
        signature = sign(signer, DIGEST)
    (event,) = told.events
    assert (event.message, event.prehashed, event.size, event.digest) == (None, ("sha256", DIGEST), None, DIGEST)
    assert (event.signer, event.backend, event.key_id) == ("n", "b", "ecdsa-key")
    assert told.outcomes == [(signature, None)]


@BOTH
@pytest.mark.parametrize("judge", [Judging(), AfterOnly()])
def test_extension_that_needs_the_message_refuses(judge: Any, sign: Sign) -> None:
    key, before, after = DigestKey(), Told(), Told()
    with Signer(key, extensions={"first": before, "judge": judge, "last": after}) as signer:
        for call in (lambda: sign(signer, DIGEST), signer.hasher):
            with pytest.raises(
                PolicyViolationError,
                match=r"^extension 'judge' refused: it judges by the message, .*; sign the message itself, or leave",
            ) as caught:
                call()
            assert caught.value.extension == "judge"
        signer.public_key.verify(signer.sign(b"message"), b"message")
    assert key.given == []
    # as with any refusal: who stands before it was asked, all are told; but not of what has no message, who needs it
    assert [len(each.events) for each in (before, after)] == [2, 1]
    assert [type(error) for _, error in before.outcomes] == [PolicyViolationError, type(None)]
    assert all(event.message == b"message" for event in getattr(judge, "told", getattr(judge, "events", ())))


@BOTH
def test_refusal_of_a_digest_is_the_extension_s_own(sign: Sign) -> None:
    class Forbidding(Told):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> None:
            super().signer_before_sign(event)
            if event.prehashed == ("sha256", DIGEST):
                raise PolicyViolationError("that one is not signed")

    key = DigestKey()
    with (
        Signer(key, extensions={"list": Forbidding()}) as signer,
        pytest.raises(PolicyViolationError, match="extension 'list' refused: that one is not signed"),
    ):
        sign(signer, DIGEST)
    assert key.given == []
