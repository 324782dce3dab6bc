"""A disk that takes no more: no signature comes out, and the log stays what it was."""

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from signer_audit.audit import Audit
from signer_audit.config import AuditConfig
from signer_core import Signer
from signer_core.errors import ExtensionError, KeyUnavailableError
from tests.keys import ScriptedKey, in_thread

from .logs import entries, intact, lines, messages_in, opened, sha256, sign


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


Fail = Callable[..., None]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fail]:
    """Let a function of the system fail for the next calls, after what it did before that."""

    def fail(name: str, code: int, *, times: int = 1, before: Callable[..., Any] = lambda *_: None) -> None:
        real, left = getattr(os, name), [None] * times

        def failing(*arguments: Any) -> Any:
            if not left:
                return real(*arguments)
            left.pop()
            before(real, *arguments)
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, name, failing)

    yield fail
    monkeypatch.undo()


def half(write: Callable[[int, bytes], int], descriptor: int, content: bytes) -> None:
    """Write the first half."""
    write(descriptor, content[: len(content) // 2])


def test_a_full_disk_withholds_the_signature_and_takes_back_what_was_written(path: Path, fail: Fail) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        before = path.read_bytes()
        fail("write", errno.ENOSPC)
        with pytest.raises(ExtensionError) as raised:
            signer.sign(b"2")
        error = f"extension 'audit' failed: the audit log {path} cannot be written: No space left on device"
        assert raised.value.message == error
        assert path.read_bytes() == before
        signer.sign(b"3")
    assert messages_in(path) == [sha256(b"1"), sha256(b"3")]
    assert (intact(path).lines, intact(path).torn) == (2, 0)


def test_a_short_write_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:100]))
    sign(path, b"1", b"2")
    monkeypatch.undo()
    assert intact(path).lines == 2


def test_a_short_write_before_a_failure_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, calls = os.write, []

    def failing(descriptor: int, content: bytes) -> int:
        calls.append(content)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content[:100])

    with opened(path) as signer:
        monkeypatch.setattr(os, "write", failing)
        with pytest.raises(ExtensionError):
            signer.sign(b"1")
        monkeypatch.undo()
        assert path.read_bytes() == b""
        signer.sign(b"2")
    assert messages_in(path) == [sha256(b"2")]


def test_what_cannot_be_taken_back_is_a_torn_line(path: Path, fail: Fail) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        fail("write", errno.EIO, before=half)
        with pytest.raises(ExtensionError, match="Input/output error"):
            signer.sign(b"2")
        signer.sign(b"3")
    assert [each.endswith(b"<torn>\n") for each in lines(path)] == [False, True, False]
    assert messages_in(path) == [sha256(b"1"), sha256(b"3")]
    assert (intact(path).lines, intact(path).torn) == (2, 1)


def test_a_failed_sync_withholds_the_signature_and_takes_back_the_line(path: Path, fail: Fail) -> None:
    """The system may have thrown away what it could not write, and would call the next sync a success."""
    with opened(path) as signer:
        signer.sign(b"1")
        before = path.read_bytes()
        fail("fsync", errno.EIO)
        with pytest.raises(ExtensionError, match="Input/output error"):
            signer.sign(b"2")
        assert path.read_bytes() == before
        signer.sign(b"3")
    assert messages_in(path) == [sha256(b"1"), sha256(b"3")]


def test_what_cannot_be_synced_nor_taken_back_stays(path: Path, fail: Fail) -> None:
    """The line is whole, and says of a signature that was made; it never came out."""
    with opened(path) as signer:
        fail("fsync", errno.EIO)
        fail("ftruncate", errno.EPERM)
        with pytest.raises(ExtensionError):
            signer.sign(b"1")
        signer.sign(b"2")
    assert messages_in(path) == [sha256(b"1"), sha256(b"2")]
    assert intact(path).lines == 2


def test_what_others_appended_is_not_taken_back(path: Path, fail: Fail) -> None:
    """By whoever does not ask for the lock."""

    def append(*_: object) -> None:
        with open(path, "ab") as file:
            file.write(b"something else\n")

    with opened(path) as signer:
        fail("fsync", errno.EIO, before=append)
        with pytest.raises(ExtensionError):
            signer.sign(b"1")
    assert [len(lines(path)), lines(path)[1]] == [2, b"something else\n"]


def test_an_interrupt_takes_back_the_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with opened(path) as signer:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", interrupted)
            with pytest.raises(KeyboardInterrupt):
                signer.sign(b"1")
        assert path.read_bytes() == b""
        signer.sign(b"2")
    assert messages_in(path) == [sha256(b"2")]


def test_of_a_failure_there_is_a_line_or_an_extension_error_beside_it(path: Path, fail: Fail) -> None:
    key = ScriptedKey([KeyUnavailableError("disabled")])
    with Signer(key, extensions={"audit": Audit(AuditConfig(path=path))}) as signer:
        fail("write", errno.ENOSPC)
        with pytest.raises(KeyUnavailableError) as raised:
            signer.sign(b"1")
    assert "No space left on device" in raised.value.__notes__[0]
    assert entries(path) == []


def test_threads_that_share_a_failed_write_all_go_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as signer:

        def failing(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", failing)
            for running in [in_thread(lambda: signer.sign(b"1")) for _ in range(8)]:
                with pytest.raises(ExtensionError) as raised:
                    running.result()
                assert raised.value.message.startswith(f"extension 'audit' failed: the audit log {path} cannot be")
        signer.sign(b"2")
    assert messages_in(path) == [sha256(b"2")]


LIMITED = """
    import resource, signal, sys
    from signer_core.errors import ExtensionError
    from tests.plugins.audit.logs import opened

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(sys.argv[1]) as signer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
        signed = 0
        try:
            while True:
                signer.sign(b"message")
                signed += 1
        except ExtensionError as error:
            print(signed, error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signer.sign(b"message")
"""


def test_a_file_that_may_not_grow(path: Path) -> None:
    """With the real limit of the system, which lets the first bytes through."""
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    signed, _, error = done.stdout.partition(" ")
    assert error == f"extension 'audit' failed: the audit log {path} cannot be written: File too large\n"
    report = intact(path)
    assert (report.lines, report.torn) == (int(signed) + 1, 0)
