"""Files of any size: signed whole or by their digest, verified, and how much memory that takes."""

import hashlib
import io
import os
import pty
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from signer_core import Deadline, Signer, SigningKey, create_signer, hookimpl
from signer_core.cli.failures import Failure
from signer_core.cli.input import PIECE, Input
from signer_core.cli.signing import LARGE, check_sizes, signature_of, signatures_of
from signer_core.errors import MessageTooLargeError, PolicyViolationError
from tests.cli.conftest import PROGRAM, SEED, program, unmeasured
from tests.cli.conftest import Signer as Run
from tests.keys import PATIENCE, Clock, Ed25519Key, GatedKey, in_thread
from tests.test_sign_digest import DigestKey, MessagesOnly, Renewing

ECDSA = ("--set", "algorithm=ecdsa-p256-sha256")
ML_DSA = ("--set", "algorithm=ml-dsa-44")


def sparse(name: str, size: int) -> Path:
    """A file of zeros that takes no room."""
    path = Path(name)
    with path.open("wb") as file:
        file.truncate(size)
    return path


class Bar:
    """A progress bar that counts."""

    def __init__(self) -> None:
        self.steps = 0

    def update(self, n_steps: int) -> None:
        self.steps += n_steps


def signed(signer: Signer, content: bytes, *, size: int | None = None) -> bytes:
    return signature_of(signer, Input("the file", io.BytesIO(content), size), Bar())


class Small(DigestKey):
    """It takes no message of more than 10 bytes, but digests."""

    @property
    def max_message_bytes(self) -> int:
        return 10


# --- whole or by a digest --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "by_digest"), [(0, False), (10, False), (11, True), (5000, True)])
def test_what_the_key_does_not_take_whole_is_signed_by_its_digest(size: int, by_digest: bool) -> None:
    key = Small()
    with Signer(key) as signer:
        signer.public_key.verify(signed(signer, b"m" * size), b"m" * size)
    assert [digest for digest, _ in key.given] == ([hashlib.sha256(b"m" * size).digest()] if by_digest else [])


def test_large_message_is_signed_by_its_digest() -> None:
    key = DigestKey()
    content = bytes(LARGE + 1)
    with Signer(key) as signer:
        bar = Bar()
        signature = signature_of(signer, Input("the file", io.BytesIO(content), None), bar)
        signer.public_key.verify(signature, content)
        signer.public_key.verify(signed(signer, content[:LARGE]), content[:LARGE])
    assert (len(key.given), bar.steps) == (1, LARGE // PIECE)


@pytest.mark.parametrize("key", [Ed25519Key(), MessagesOnly()])
def test_large_message_is_signed_whole_where_no_digest_is(key: SigningKey) -> None:
    content = bytes(LARGE + 10 * PIECE)
    with Signer(key) as signer:
        bar = Bar()
        signature = signature_of(signer, Input("the file", io.BytesIO(content), len(content)), bar)
        signer.public_key.verify(signature, content)
    assert bar.steps == LARGE // PIECE + 10


@pytest.mark.parametrize(("size", "named"), [(11, "11"), (None, "more than 10")])
def test_too_large_message_is_not_read(size: int | None, named: str) -> None:
    class Limited(Ed25519Key):
        @property
        def max_message_bytes(self) -> int:
            return 10

    class Unread(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size == 11
            return super().read(size)

    key = Limited()
    with Signer(key) as signer, pytest.raises(MessageTooLargeError) as caught:
        signature_of(signer, Input("the file", Unread(bytes(100)), size), Bar())
    assert str(caught.value).startswith(f"the file has {named} bytes, and this key signs at most 10; Ed25519 needs the")
    assert (caught.value.limit, caught.value.size, key.deadlines) == (10, size, [])


class Judging:
    @hookimpl
    def signer_before_sign(self) -> None:
        pass


def test_extension_that_needs_the_message_refuses_before_the_rest_is_read() -> None:
    file = io.BytesIO(bytes(100))
    with (
        Signer(Small(), extensions={"judge": Judging()}) as signer,
        pytest.raises(PolicyViolationError, match="extension 'judge' refused: it judges by the message") as caught,
    ):
        signature_of(signer, Input("the file", file, 100), Bar())
    assert caught.value.__notes__ == ["the file has more than 10 bytes, so it is signed by its digest"]
    assert file.tell() == 11


def test_key_that_changes_while_the_file_is_read() -> None:
    clock = Clock()

    class Slow(io.BytesIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            clock.advance(10)
            return super().readinto(buffer)

    class SmallRenewing(Renewing, Small):
        pass

    with (
        Signer(SmallRenewing(DigestKey(number=2)), clock=clock) as signer,
        pytest.raises(Failure, match="the key changed while the file was read"),
    ):
        signature_of(signer, Input("the file", Slow(bytes(100)), 100), Bar())


def test_file_that_fails_while_it_is_read() -> None:
    class Failing(io.BytesIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            raise OSError(5, "Input/output error")

    with (
        Signer(Small()) as signer,
        pytest.raises(Failure, match=r"^the file cannot be read: Input/output error$"),
    ):
        signature_of(signer, Input("the file", Failing(bytes(100)), 100), Bar())


# --- many files ------------------------------------------------------------------------------------------------------


class Weighing(DigestKey):
    """It waits at a gate, and knows how many bytes it holds, and how many it held at most."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.most = 0
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self._weighing = threading.Lock()

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        with self._weighing:
            self.held += len(message)
            self.most = max(self.most, self.held)
        self.entered.release()
        try:
            assert self.gate.wait(PATIENCE)
            return super().sign(message, deadline)
        finally:
            with self._weighing:
                self.held -= len(message)


def test_files_that_are_in_memory_together_fit_into_it(folder: Path) -> None:
    third = LARGE // 3
    names = [str(sparse(f"file{number}", third)) for number in range(12)]
    key = Weighing()
    with Signer(key, concurrency=8) as signer:
        signing = in_thread(lambda: list(signatures_of(signer, names, Bar())))
        for _ in range(3):
            assert key.entered.acquire(timeout=PATIENCE)
        key.gate.set()
        for signature in signing.result():
            signer.public_key.verify(signature, bytes(third))
    assert key.most == 3 * third


def test_small_files_are_signed_as_many_at_once_as_the_signer_serves(folder: Path) -> None:
    names = [str(sparse(f"file{number}", number)) for number in range(20)]
    key = GatedKey()
    with Signer(key, concurrency=5) as signer:
        signing = in_thread(lambda: list(signatures_of(signer, names, Bar())))
        key.wait_entered(5)
        key.gate.set()
        for size, signature in enumerate(signing.result()):
            signer.public_key.verify(signature, bytes(size))
    assert key.most_inside == 5


def test_file_beyond_all_memory_is_signed_among_the_others(folder: Path) -> None:
    sizes = [1, LARGE + 1, LARGE // 2, 0, LARGE + PIECE, 2]
    names = [str(sparse(f"file{number}", size)) for number, size in enumerate(sizes)]
    key, bar = DigestKey(), Bar()
    with Signer(key, concurrency=3) as signer:
        for size, signature in zip(sizes, signatures_of(signer, names, bar), strict=True):
            assert signature is not None
            signer.public_key.verify(signature, bytes(size))
    assert (len(key.given), bar.steps) == (2, 2 * (LARGE // PIECE) + 1)


def test_file_that_is_gone_is_told_at_its_place_and_nothing_after_it_is_begun(folder: Path) -> None:
    names = [str(sparse(f"file{number}", number)) for number in range(100)]
    os.unlink(names[50])
    given = []
    with Signer(Ed25519Key(), concurrency=2) as signer:
        signatures = signatures_of(signer, names, Bar())
        for _ in range(50):
            given.append(next(signatures))
        with pytest.raises(Failure, match=r"^file50 cannot be read: No such file or directory$"):
            next(signatures)
        assert list(signatures) == []
    assert len(set(given)) == 50


@pytest.mark.parametrize("options", [{}, {"extensions": {"judge": Judging()}}], ids=["signed", "refused"])
def test_sizes_that_may_be_signed_by_a_digest_pass(options: dict[str, Any]) -> None:
    with Signer(Small(), **options) as signer:
        check_sizes(signer, {"small": 10, "large": 11})


def test_reading_of_a_large_file_ends_when_nobody_wants_its_signature(folder: Path) -> None:
    reading, cancelled = threading.Event(), threading.Event()

    class Telling(Bar):
        def update(self, n_steps: int) -> None:
            super().update(n_steps)
            reading.set()
            assert cancelled.wait(PATIENCE)

    sparse("small", 1)
    sparse("large", LARGE + 1000 * PIECE)
    bar = Telling()
    with Signer(DigestKey(), concurrency=2) as signer:
        signatures = signatures_of(signer, ["small", "large", "small"], bar)
        next(signatures)
        assert reading.wait(PATIENCE)
        signatures.close()
        cancelled.set()
    assert bar.steps < LARGE // PIECE + 10


# --- the command -----------------------------------------------------------------------------------------------------


@contextmanager
def noop(*options: str) -> Iterator[Signer]:
    algorithm = dict(each.split("=") for each in options if "=" in each)
    with create_signer({"backend": "noop", "seed": SEED, **algorithm}) as signer:
        yield signer


@pytest.mark.slow
@pytest.mark.parametrize("options", [ECDSA, ML_DSA, ()], ids=["ecdsa", "ml-dsa", "ed25519"])
def test_large_files_and_small_ones(options: tuple[str, ...], signer: Run, folder: Path) -> None:
    sparse("large", LARGE + 100)
    Path("small").write_bytes(b"message")
    run = ("--backend", "noop", "--set", f"seed={SEED}", *options)
    assert signer(*run, "sign", "small", "large").exit_code == 0
    assert signer(*run, "sign", "-", "-o", "piped.sig", input=bytes(LARGE + 100)).exit_code == 0
    with noop(*options) as made:
        made.public_key.verify(Path("small.sig").read_bytes(), b"message")
        for name in ("large.sig", "piped.sig"):
            made.public_key.verify(Path(name).read_bytes(), bytes(LARGE + 100))
    assert signer(*run, "verify", "large", "large.sig").exit_code == 0
    assert signer(*run, "verify", "-", "piped.sig", input=bytes(LARGE + 100)).exit_code == 0
    wrong = signer(*run, "verify", "large", "small.sig")
    assert (wrong.exit_code, wrong.stderr.splitlines()[-2].startswith("error: wrong signature")) == (1, True)


def peak(*arguments: str) -> int:
    """The memory of the program at its most, in bytes."""
    process = subprocess.Popen([PROGRAM, *arguments], env=unmeasured())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


@pytest.mark.slow
@pytest.mark.parametrize("options", [ECDSA, ML_DSA], ids=["ecdsa", "ml-dsa"])
def test_memory_does_not_grow_with_the_file(options: tuple[str, ...], folder: Path) -> None:
    sparse("large", LARGE + PIECE)
    sparse("larger", 2 * LARGE)
    run = ("--backend", "noop", "--set", f"seed={SEED}", *options)
    for command in ("sign", "verify"):
        large, larger = (
            peak(*run, command, name, *(["-o", f"{name}.sig"] if command == "sign" else [f"{name}.sig"]))
            for name in ("large", "larger")
        )
        assert larger < large + 16 * PIECE


@pytest.mark.slow
def test_progress_of_one_large_file_on_a_terminal(folder: Path) -> None:
    sparse("large", LARGE + PIECE)
    for arguments in (("sign", "large", "-o", "large.sig"), ("verify", "large", "large.sig")):
        controller, terminal = pty.openpty()
        run = [PROGRAM, "--backend", "noop", "--set", f"seed={SEED}", *ECDSA, *arguments]
        done = subprocess.run(run, stdout=subprocess.DEVNULL, stderr=terminal, check=False, timeout=60)
        os.close(terminal)
        shown = os.read(controller, 100_000)
        os.close(controller)
        assert done.returncode == 0
        assert b"100%" in shown


def test_no_progress_elsewhere(folder: Path) -> None:
    sparse("large", LARGE + PIECE)
    done = program("--backend", "noop", *ECDSA, "sign", "large", "-o", "signature")
    (warning,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout, warning.startswith(b"warning: the backend noop")) == (0, b"", True)
