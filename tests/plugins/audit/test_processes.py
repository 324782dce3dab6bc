"""Processes that share a log, that fork, that hang, and that are killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import pytest

from signer_audit.log_file import LogFile
from signer_core.errors import ExtensionError
from tests.cli.conftest import unmeasured
from tests.keys import PATIENCE, in_child, in_thread

from .logs import entries, intact, messages_in, opened, sha256, sign


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def started(script: str, *arguments: object) -> "subprocess.Popen[str]":
    """A process that runs the script, with the arguments in ``sys.argv[1:]``."""
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=unmeasured())


SIGNING = """
    import sys, threading
    from tests.plugins.audit.logs import opened

    path, threads, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

    def sign():
        for number in range(each):
            signer.sign(str(number).encode())

    with opened(path) as signer:
        print("open", flush=True)
        sys.stdin.readline()
        running = [threading.Thread(target=sign) for _ in range(threads)]
        for each_thread in running:
            each_thread.start()
        for each_thread in running:
            each_thread.join()
"""


@pytest.mark.slow
def test_threads_of_processes_write_one_chain(path: Path) -> None:
    processes = [started(SIGNING, path, 4, 200) for _ in range(3)]
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "open\n"
    for each in processes:
        each.communicate("go\n", timeout=60)
    assert [each.returncode for each in processes] == [0, 0, 0]
    assert (intact(path).lines, intact(path).torn) == (2400, 0)
    told = entries(path)
    assert {each.pid for each in processes} == {each["pid"] for each in told}
    for process in processes:
        assert sum(each["pid"] == process.pid for each in told) == 800


KILLED = """
    import sys
    from tests.plugins.audit.logs import opened

    with opened(sys.argv[1]) as signer:
        number = 0
        while True:
            signature = signer.sign(str(number).encode())
            print(number, signature.hex(), flush=True)
            number += 1
"""


@pytest.mark.parametrize("lines_before", [1, 20, 60])
def test_a_signature_that_came_out_of_a_killed_process_is_in_the_log(path: Path, lines_before: int) -> None:
    with started(KILLED, path) as process:
        assert process.stdout is not None
        out = [process.stdout.readline() for _ in range(lines_before)]
        process.send_signal(signal.SIGKILL)
        out += process.stdout.readlines()  # not communicate(), which does not look at what readline() took ahead
    came_out = [each.split()[1] for each in out if each.endswith("\n")]
    assert len(came_out) >= lines_before
    logged = [each["signature_sha256"] for each in entries(path)]
    assert logged[: len(came_out)] == [sha256(bytes.fromhex(each)) for each in came_out]
    assert len(logged) <= len(came_out) + 1
    with opened(path) as signer:
        signer.sign(b"after")
    assert intact(path).lines == len(logged) + 1


def dies_after(path: Path, written: int) -> None:
    """Sign, and be killed when so many bytes of the line are written."""
    write = os.write

    def dying(descriptor: int, content: bytes) -> int:
        write(descriptor, content[:written])
        os.kill(os.getpid(), signal.SIGKILL)
        return written

    with opened(path) as signer:
        os.write = dying  # type: ignore[assignment]
        signer.sign(b"torn")


@pytest.mark.parametrize("written", [0, 1, 3, 9, 500])
def test_processes_that_die_in_the_middle_of_a_line(path: Path, written: int) -> None:
    """One after the other, so that what ends the torn line of one is torn by the next."""
    sign(path, b"before")
    for _ in range(3):
        assert in_child(lambda: dies_after(path, written)) == -signal.SIGKILL
        assert (intact(path).lines, intact(path).torn > 0) == (1, written > 0)
    sign(path, b"after")
    assert messages_in(path) == [sha256(b"before"), sha256(b"after")]
    assert intact(path).lines == 2


HOLDING = """
    import sys
    from pathlib import Path
    from signer_audit.log_file import LogFile

    LogFile(Path(sys.argv[1])).lock(None)
    print("locked", flush=True)
    sys.stdin.readline()
"""


def test_the_lock_of_a_process_that_hangs_is_waited_for_with_patience(path: Path) -> None:
    with opened(path, lock_timeout="50ms") as signer:
        process = started(HOLDING, path)
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(ExtensionError, match=r"has kept the audit log \S+ locked for 0.05 seconds"):
            signer.sign(b"1")
        with pytest.raises(ExtensionError, match="locked for"):
            opened(path, lock_timeout="50ms")
        process.communicate("go on\n", timeout=60)
        signer.sign(b"2")
    assert messages_in(path) == [sha256(b"2")]


def test_a_lock_in_the_same_process_counts_as_well(path: Path) -> None:
    with opened(path, lock_timeout="50ms") as signer:
        file = LogFile(path)
        file.lock(None)
        with pytest.raises(ExtensionError, match="locked for"):
            signer.sign(b"1")
        file.unlock()
        signer.sign(b"2")
    assert messages_in(path) == [sha256(b"2")]


def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    process = started(HOLDING, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    waiting = in_thread(lambda: sign(path, b"1"))
    process.kill()
    waiting.result()
    process.communicate(timeout=60)
    assert messages_in(path) == [sha256(b"1")]


FORKING = """
    import os, signal, sys
    from tests.plugins.audit.logs import opened

    with opened(sys.argv[1]) as signer:

        def forking(descriptor):
            if os.fork() == 0:
                print("child", flush=True)
                sys.stdin.readline()
                os._exit(0)
            os.kill(os.getpid(), signal.SIGKILL)

        os.fsync = forking
        signer.sign(b"1")
"""


def test_a_child_does_not_keep_the_lock_that_its_parent_had(path: Path) -> None:
    process = started(FORKING, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "child\n"
    process.wait(60)
    sign(path, b"2")
    process.communicate("end\n", timeout=60)
    assert messages_in(path) == [sha256(b"1"), sha256(b"2")]
    assert intact(path).lines == 2


def test_a_child_signs_while_a_thread_of_its_parent_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, entered, go_on = os.fsync, threading.Event(), threading.Event()

    def waiting(descriptor: int) -> None:
        entered.set()
        assert go_on.wait(PATIENCE)
        fsync(descriptor)

    with opened(path) as signer:
        monkeypatch.setattr(os, "fsync", waiting)
        signing = in_thread(lambda: signer.sign(b"1"))
        assert entered.wait(PATIENCE)

        def child() -> None:
            os.fsync = fsync
            with pytest.raises(ExtensionError, match="locked for"):  # which its parent has
                opened(path, lock_timeout="50ms")

        assert in_child(child) == 0
        go_on.set()
        signing.result()

        def later_child() -> None:
            os.fsync = fsync
            signer.sign(b"2")

        assert in_child(later_child) == 0
    assert messages_in(path) == [sha256(b"1"), sha256(b"2")]
    assert intact(path).lines == 2


def is_open_on(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def test_a_descriptor_that_somebody_else_closed_is_opened_anew(path: Path) -> None:
    """As programs do that become daemons: they close all there are."""
    with opened(path) as signer:
        signer.sign(b"1")
        [held] = [each for each in range(1024) if is_open_on(each, path)]
        os.close(held)
        with pytest.raises(ExtensionError, match="Bad file descriptor"):
            signer.sign(b"2")
        signer.sign(b"3")
    assert messages_in(path) == [sha256(b"1"), sha256(b"3")]


WITHOUT_RIGHTS = """
    import os, sys
    from pathlib import Path
    from signer_audit import signer_attach
    from signer_audit.config import AuditConfig

    # The hook itself: to find the plugin, one has to read where it is installed.
    directory = Path(sys.argv[1])
    signer_attach(AuditConfig(path=directory / "there.jsonl"))
    os.chmod(directory / "there.jsonl", 0o000)
    if os.geteuid() == 0:
        os.setuid(65534)
    for name in ("there.jsonl", "new.jsonl"):
        try:
            signer_attach(AuditConfig(path=directory / name))
        except Exception as error:
            print(type(error).__name__, error)
"""


def test_who_may_not_write_the_log_gets_no_signer(path: Path) -> None:
    directory = Path(tempfile.mkdtemp())  # which others may search, unlike pytest's
    directory.chmod(0o755)
    process = started(WITHOUT_RIGHTS, directory)
    told = process.communicate(timeout=60)[0].splitlines()
    shutil.rmtree(directory)
    denied = "cannot be opened: Permission denied; check the owner and the mode of the log and of its directory"
    assert told[0] == f"AccessDeniedError the audit log {directory}/there.jsonl {denied}"
    if os.geteuid() == 0:  # else the directory is one's own
        assert told[1] == f"AccessDeniedError the audit log {directory}/new.jsonl {denied}"
