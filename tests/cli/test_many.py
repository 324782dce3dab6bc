"""Many files: signed together, ended at any moment, and gone on with."""

import contextlib
import errno
import os
import pty
import random
import re
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_aws_kms.testing import FakeKms, faults
from signer_core import PublicKey, create_signer
from signer_core.cli import interruption, many, output, replacing
from signer_core.cli.many import account, listed
from signer_core.errors import SignError
from tests.cli.conftest import PROGRAM, SEED, Signer, program, unmeasured
from tests.conftest import Install
from tests.interruptions import At
from tests.keys import PATIENCE, until
from tests.plugins.aws_kms.test_many import Gate

pytestmark = pytest.mark.slow

NOOP = ("--backend", "noop", "--set", f"seed={SEED}")
LEFT = re.compile(r"\.signer-[0-9a-f]{16}")


@pytest.fixture
def public_key() -> Iterator[PublicKey]:
    with create_signer({"backend": "noop", "seed": SEED}) as signer:
        yield signer.public_key


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    """A KMS that the environment leads to, with a key at ``alias/sequencer``."""
    with FakeKms() as kms:
        kms.create_key(alias="alias/sequencer")
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        yield kms


def at_kms(**options: object) -> list[str]:
    """The arguments for that key."""
    settings = {"key_id": "alias/sequencer", "timeout": 60, "attempt_timeout": 60, **options}
    return ["--backend", "awskms", *(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))]


def key_at_kms() -> PublicKey:
    with create_signer({"backend": "awskms", "key_id": "alias/sequencer"}) as signer:
        return signer.public_key


@pytest.fixture
def thousand(folder: Path) -> list[str]:
    return files(1000)


@pytest.fixture
def hundreds(folder: Path) -> list[str]:
    """Enough to be in the midst of, for what is done at many moments."""
    return files(300)


def files(count: int) -> list[str]:
    """Files in the working directory, each with its name in it."""
    names = [f"f{number:03}" for number in range(count)]
    for name in names:
        Path(name).write_text(name)
    return names


def signed() -> set[str]:
    """The files that have a FILE.sig, whatever it is."""
    return {each.removesuffix(".sig") for each in os.listdir() if each.endswith(".sig")}


def left() -> list[str]:
    """What is in the working directory besides files and signatures."""
    return [each for each in os.listdir() if not re.fullmatch(r"f\d{3}(\.sig)?", each)]


def verify(key: PublicKey, names: set[str]) -> None:
    """Each file has its signature, and no part of one."""
    for name in names:
        key.verify(Path(f"{name}.sig").read_bytes(), name.encode())


@contextlib.contextmanager
def running(*arguments: str, **options: object) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([PROGRAM, *arguments], stderr=subprocess.PIPE, env=unmeasured(), **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def stopping_at(name: str, *arguments: str) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[], None]]]:
    """The command, which cannot go past the signature of ``name`` before the function is called: a pipe takes it."""
    os.mkfifo(f"{name}.sig")
    readers = []
    with running(*arguments) as process:
        yield process, lambda: readers.append(os.open(f"{name}.sig", os.O_RDONLY | os.O_NONBLOCK))
    for each in readers:
        os.close(each)
    os.unlink(f"{name}.sig")


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """The exit status, and the last line but the remedy."""
    _, errors = process.communicate(timeout=PATIENCE)
    lines = [line for line in errors.decode().splitlines() if line.startswith("error: ")]
    return process.returncode, lines[-1] if lines else ""


# --- to the end ------------------------------------------------------------------------------------------------------


def test_a_thousand_files(thousand: list[str], public_key: PublicKey) -> None:
    done = program(*NOOP, "sign", *thousand)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (0, b"", 1)  # the warning of noop
    assert (signed(), left()) == ({*thousand}, [])
    verify(public_key, signed())


def test_a_thousand_files_with_a_key_in_a_file(thousand: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "open sesame")
    assert program("--backend", "file", "--set", "path=../keys", "--set", "passphrase=env:WORD", "init").returncode == 0
    assert program("sign", *thousand).returncode == 0
    key = PublicKey.from_pem(program("show", "--format", "pem").stdout)
    assert signed() == {*thousand}
    verify(key, signed())


def test_a_thousand_files_keep_all_connections_to_kms_busy(thousand: list[str], kms: FakeKms) -> None:
    gate = Gate(kms)
    with running(*at_kms(max_connections=7), "sign", *thousand) as process:
        gate.wait_held(7)
        assert (kms.connections_open, signed()) == (7, set())
        gate.set()
        assert ended(process) == (0, "")
    assert (gate.held, kms.connections_opened) == (1000, 7)
    verify(key_at_kms(), {*thousand})


def test_signatures_appear_in_order(thousand: list[str], public_key: PublicKey) -> None:
    with stopping_at("f500", *NOOP, "sign", *thousand) as (process, go_on):
        until(lambda: "f499" in signed())
        assert signed() == {*thousand[:501]}  # and the pipe
        go_on()
        assert ended(process) == (0, "")
    assert signed() == {*thousand} - {"f500"}
    verify(public_key, signed())


def test_memory_does_not_grow_with_the_number_of_files(folder: Path) -> None:
    def peak(count: int) -> int:
        names = files(count)
        for name in names:
            os.truncate(name, 1024 * 1024)
        process = subprocess.Popen([PROGRAM, *NOOP, "sign", *names], stderr=subprocess.DEVNULL, env=unmeasured())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss * 1024

    assert peak(120) < peak(40) + 16 * 1024 * 1024


def test_progress_on_a_terminal(folder: Path) -> None:
    names = files(300)
    controller, terminal = pty.openpty()
    process = subprocess.Popen([PROGRAM, *NOOP, "sign", *names], stderr=terminal)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError), os.fdopen(controller, "rb", buffering=0) as screen:
        while piece := screen.read(10_000):  # EIO is the end
            shown += piece
    assert process.wait(PATIENCE) == 0
    percentages = [int(each) for each in re.findall(rb"(\d+)%", shown)]
    assert percentages == sorted(percentages)
    assert (percentages[0], percentages[-1], len(set(percentages)) > 10) == (0, 100, True)


# --- ended by a signal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=str,
)
@pytest.mark.parametrize("moments", [range(1), range(1, 2), range(2, 100), range(100, 250)], ids=str)
def test_a_signal_at_any_moment_leaves_whole_signatures_and_says_which_are_missing(
    moments: range, number: signal.Signals, status: int, hundreds: list[str], public_key: PublicKey
) -> None:
    with stopping_at("f290", *NOOP, "sign", *hundreds) as (process, go_on):
        if moment := random.choice(moments):
            until(lambda: f"f{moment - 1:03}" in signed())
        else:
            until(lambda: handles(process, signal.SIGTERM))
        process.send_signal(number)
        until(lambda: not handles(process, number))
        go_on()
        returned, error = ended(process)
    there = signed()
    missing = [name for name in hundreds if name not in there]
    assert returned == status
    assert error == f"error: interrupted — {account(300, missing)}"
    assert left() == []
    verify(public_key, there)
    assert program(*NOOP, "sign", "--missing", *hundreds).returncode == 0
    assert signed() == {*hundreds}
    verify(public_key, signed())


def handles(process: "subprocess.Popen[bytes]", number: signal.Signals) -> bool:
    """Whether the process does something of its own about the signal."""
    (mask,) = re.findall(r"^SigCgt:\s*([0-9a-f]+)$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    return bool(int(mask, 16) >> number - 1 & 1)


@pytest.mark.parametrize("moments", [range(1), range(1, 100), range(100, 250)], ids=str)
def test_a_kill_at_any_moment_leaves_whole_signatures(
    moments: range, hundreds: list[str], public_key: PublicKey
) -> None:
    with stopping_at("f290", *NOOP, "sign", *hundreds) as (process, _):
        moment = random.choice(moments)
        until(lambda: f"f{moment:03}" in signed())
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
    verify(public_key, signed())
    assert all(LEFT.fullmatch(each) for each in left())
    assert len(left()) <= 10
    assert program(*NOOP, "sign", "--missing", *hundreds).returncode == 0
    assert signed() == {*hundreds}


def test_an_interrupt_lets_requests_end_and_sends_no_more(thousand: list[str], kms: FakeKms) -> None:
    gate = Gate(kms)
    with running(*at_kms(max_connections=3), "sign", *thousand) as process:
        gate.wait_held(3)
        process.send_signal(signal.SIGINT)
        until(lambda: not handles(process, signal.SIGINT))
        gate.set()
        assert ended(process) == (130, f"error: interrupted — {account(1000, thousand)}")
    assert (gate.held, signed(), left()) == (3, set(), [])


def test_a_second_interrupt_ends_at_once_what_the_first_one_lets_end(thousand: list[str], kms: FakeKms) -> None:
    gate = Gate(kms)
    try:
        with running(*at_kms(max_connections=3), "sign", *thousand) as process:
            gate.wait_held(3)
            process.send_signal(signal.SIGINT)
            until(lambda: not handles(process, signal.SIGINT))
            process.send_signal(signal.SIGTERM)  # comes too late, and is ignored
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == -signal.SIGINT
    finally:
        gate.set()
    assert (signed(), left()) == (set(), [])


def send_sigint() -> None:
    """To this process: what handles it raises at once, or holds it."""
    signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # what is interrupted between the opening of a file and its with
@pytest.mark.parametrize("module", [interruption, many, output, replacing], ids=lambda module: module.__name__)
def test_an_interrupt_at_each_point_leaves_whole_signatures_and_nothing_else(
    module: ModuleType, noop: Signer, folder: Path, public_key: PublicKey
) -> None:
    names, before = files(5), signal.getsignal(signal.SIGINT)
    points = 0
    while True:
        with At(points, module, send_sigint) as at:
            result = noop("sign", *names)
        if at.left >= 0:
            break
        missing = [name for name in names if name not in signed()]
        (_, error) = f"\n{result.stderr}".rstrip().rsplit("\n", 1)
        if result.exit_code != 0:  # else it came after the end
            assert (result.exit_code, error.split(" — ")[0]) == (130, "error: interrupted")
            assert error in ("error: interrupted", f"error: interrupted — {account(5, missing)}")
        assert (left(), signal.getsignal(signal.SIGINT)) == ([], before)
        verify(public_key, signed())
        for name in signed():
            os.unlink(f"{name}.sig")
        points += 1
    assert points > 20


def test_what_is_ignored_from_the_start_stays_so(thousand: list[str], public_key: PublicKey) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with running(*NOOP, "sign", *thousand, preexec_fn=ignore) as process:
        until(lambda: "f005" in signed())
        process.send_signal(signal.SIGHUP)
        assert ended(process) == (0, "")
    verify(public_key, {*thousand})


def test_signals_are_handled_as_before_when_it_is_over(noop: Signer, folder: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    assert noop("sign", *files(2)).exit_code == 0
    assert [signal.getsignal(number) for number in numbers] == before


def test_in_a_thread_signals_are_nobodys_business(noop: Signer, folder: Path) -> None:
    names = files(2)
    thread = threading.Thread(target=lambda: noop("sign", *names))
    thread.start()
    thread.join(PATIENCE)
    assert signed() == {*names}


def test_without_a_standard_error(folder: Path, public_key: PublicKey) -> None:
    names = files(3)
    assert subprocess.call(["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", PROGRAM, *NOOP, "sign", *names]) == 0
    verify(public_key, {*names})


# --- ended by a failure ----------------------------------------------------------------------------------------------


def test_a_file_that_is_gone_when_its_turn_comes(thousand: list[str], public_key: PublicKey) -> None:
    with stopping_at("f100", *NOOP, "sign", *thousand) as (process, go_on):
        until(lambda: "f099" in signed())
        os.unlink("f500")
        Path("f600").write_text("changed")
        go_on()
        problem = "f500 cannot be read: No such file or directory"
        assert ended(process) == (1, f"error: {problem} — {account(1000, thousand[500:])}")
    assert (signed(), left()) == ({*thousand[:500]} - {"f100"}, [])
    verify(public_key, signed())


def test_a_file_that_is_changed_before_its_turn_comes(thousand: list[str], public_key: PublicKey) -> None:
    with stopping_at("f100", *NOOP, "sign", *thousand) as (process, go_on):
        until(lambda: "f099" in signed())
        Path("f600").write_text("changed")
        go_on()
        assert ended(process) == (0, "")
    public_key.verify(Path("f600.sig").read_bytes(), b"changed")


def test_a_full_disk(thousand: list[str], public_key: PublicKey) -> None:
    os.symlink("/dev/full", "f500.sig")
    done = program(*NOOP, "sign", *thousand)
    (_, error) = done.stderr.decode().splitlines()
    problem = "f500.sig cannot be written: No space left on device"
    assert (done.returncode, error) == (1, f"error: {problem} — {account(1000, thousand[500:])}")
    os.unlink("f500.sig")
    assert (signed(), left()) == ({*thousand[:500]}, [])
    verify(public_key, signed())


def test_a_disk_that_takes_nothing_more(folder: Path) -> None:
    names = files(20)
    Path("f000.sig").write_bytes(b"before")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    with running(*NOOP, "sign", *names, preexec_fn=limit) as process:
        error = f"error: f000.sig cannot be written: File too large — {account(20, names)}"
        assert ended(process) == (1, error)
    assert (signed(), left(), Path("f000.sig").read_bytes()) == ({"f000"}, [], b"before")


def test_two_signatures_in_one_place_and_none_is_signed(noop: Signer, folder: Path) -> None:
    first, second, _ = names = files(3)
    os.symlink(f"{second}.sig", f"{first}.sig")
    result = noop("sign", *names)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2:] == [
        "error: the signatures of f000 and f001 would replace one another: f000.sig and f001.sig are one file",
        "remedy: nothing was signed; take away the link",
    ]
    assert signed() == {first}


def test_a_file_under_two_names_may_have_one_signature(noop: Signer, folder: Path, public_key: PublicKey) -> None:
    files(1)
    os.symlink("f000", "other")
    os.symlink("f000.sig", "other.sig")
    assert noop("sign", "f000", "other", "./f000").exit_code == 0
    verify(public_key, {"f000"})


def test_what_cannot_be_discarded_does_not_hide_why_nothing_was_written(
    noop: Signer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that became read-only says so of names, too, that are not there."""

    def read_only(function: Callable[..., object]) -> Callable[..., object]:
        def refusing(path: str, *arguments: object, **options: object) -> object:
            if LEFT.fullmatch(os.path.basename(path)):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
            return function(path, *arguments, **options)

        return refusing

    names = files(3)
    for function in ("open", "unlink"):
        monkeypatch.setattr(os, function, read_only(getattr(os, function)))
    result = noop("sign", *names)
    assert f"error: f000.sig cannot be written: Read-only file system — {account(3, names)}" in result.stderr


def test_no_thread_to_write_with_is_said(noop: Signer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = files(3)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    result = noop("sign", *names)
    assert f"error: no thread can be started for the call: no more — {account(3, names)}" in result.stderr


def test_what_the_other_threads_write_after_that_is_discarded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = output.Replacement.write
    is_refused = threading.Event()

    def written(self: output.Replacement) -> None:
        assert is_refused.wait(PATIENCE)
        write(self)

    def refused(_: threading.Thread) -> None:
        is_refused.set()
        no_thread(_)

    placed = []
    monkeypatch.setattr(output.Replacement, "write", written)
    with replacing.Replacing(interruption.Interruption()) as them:
        them.add("first", b"1", lambda: placed.append("first"))
        monkeypatch.setattr(threading.Thread, "start", refused)
        with pytest.raises(SignError, match="no thread can be started"):
            them.add("second", b"2", lambda: placed.append("second"))
    assert (placed, os.listdir()) == (["first"], ["first"])


def no_thread(_: threading.Thread) -> None:
    raise RuntimeError("no more")


POLICY = """
class Policy:
    @hookimpl
    def signer_before_sign(self, event):
        if event.message == b"f070":
            raise PolicyViolationError("not this one")

@hookimpl
def signer_extension():
    return Extension(contract=1, config_class=Config)

@hookimpl
def signer_attach(config):
    return Policy()
"""


def test_a_file_that_a_policy_refuses(
    signer: Signer, install: Install, folder: Path, public_key: PublicKey, tmp_path: Path
) -> None:
    install("signer-policy", POLICY, name="policy", group="signer_core.extensions")
    configuration = tmp_path / "signer.toml"
    configuration.write_text(f'[signer]\nbackend = "noop"\nseed = "{SEED}"\n[signer.extensions.policy]\n')
    names = files(100)
    result = signer("--config", configuration, "sign", *names)
    assert result.exit_code == 1
    assert "not this one — 70 of 100 files are signed; f070, f071, f072 and 27 more are not" in result.stderr
    assert (signed(), left()) == ({*names[:70]}, [])
    verify(public_key, signed())


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (faults.error("AccessDeniedException"), "AccessDenied"),
        (faults.hang(), "gave up|deadline|in time|within"),
        (faults.http_error(503), "503|unavailable"),
    ],
    ids=["denied", "deadline", "unavailable"],
)
def test_a_backend_that_fails_in_the_middle(
    fault: faults.Fault, problem: str, signer: Signer, kms: FakeKms, folder: Path
) -> None:
    key = key_at_kms()
    kms.inject(fault, operation="Sign", times=None, skip=40)
    names = files(100)
    options = at_kms(timeout="1s", attempt_timeout="300ms", max_retries=1, max_connections=4)
    result = signer(*options, "sign", *names)
    assert result.exit_code == 1
    missing = [name for name in names if name not in signed()]
    assert account(100, missing) in result.stderr
    assert re.search(problem, result.stderr)
    assert (len(missing) >= 60, left()) == (True, [])
    verify(key, signed())


def test_a_file_that_the_key_cannot_sign_and_none_is_signed(signer: Signer, kms: FakeKms, folder: Path) -> None:
    names = files(10)
    Path("f005").write_bytes(bytes(4097))
    result = signer(*at_kms(), "sign", *names)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: f005 has 4097 bytes, and this key signs at most 4096\n")
    assert (signed(), kms.requests["Sign"]) == (set(), 0)


@pytest.mark.parametrize("size", [4096, 4097, 100_000])
def test_files_of_any_size_at_kms_where_digests_are_signed(
    size: int, signer: Signer, kms: FakeKms, folder: Path
) -> None:
    kms.create_key(spec="ECC_NIST_P256", alias="alias/digests")
    names = files(3)
    os.truncate("f001", size)
    assert signer(*at_kms(key_id="alias/digests"), "sign", *names).exit_code == 0
    with create_signer({"backend": "awskms", "key_id": "alias/digests"}) as opened:
        for name in names:
            opened.public_key.verify(Path(f"{name}.sig").read_bytes(), Path(name).read_bytes())


names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)


@given(st.lists(names, min_size=1, unique=True), st.data())
def test_the_account_counts_all_and_names_the_first(every: list[str], data: st.DataObject) -> None:
    missing = [name for name in every if data.draw(st.booleans())]
    told = account(len(every), missing)
    if not missing:
        assert told == f"all {len(every)} files are signed"
        return
    counts, named = told.removesuffix(" not: the same command with --missing signs them").split(" files are signed; ")
    assert counts == f"{len(every) - len(missing)} of {len(every)}"
    *first, last = missing if len(missing) <= 3 else [*missing[:3], f"{len(missing) - 3} more"]
    assert named == (f"{', '.join(first)} and {last} are" if first else f"{last} is")


# --- gone on with ----------------------------------------------------------------------------------------------------


def test_missing_leaves_alone_what_is_signed(noop: Signer, folder: Path, public_key: PublicKey) -> None:
    noop("sign", *files(3))
    os.unlink("f001.sig")
    before = os.stat("f000.sig").st_ino
    assert noop("sign", "--missing", "f000", "f001", "f002").exit_code == 0
    assert os.stat("f000.sig").st_ino == before
    verify(public_key, {"f000", "f001", "f002"})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: Path("f000").write_text("newer"),
        lambda: Path("f000.sig").write_bytes(b""),
        lambda: Path("f000.sig").write_bytes(Path("f000.sig").read_bytes()[:-1]),
        lambda: Path("f000.sig").write_bytes(Path("f001.sig").read_bytes()),
        lambda: Path("f000.sig").write_text(Path("f000.sig").read_bytes().hex() + "\n"),
        lambda: Path("f000.sig").write_bytes(bytes(2 * 1024 * 1024)),
        lambda: program("--backend", "noop", "sign", "f000", "-o", "f000.sig"),
    ],
    ids=["newer", "empty", "cut", "of another file", "another encoding", "too large", "of another key"],
)
def test_what_only_looks_like_a_signature_is_missing(
    spoil: Callable[[], object], noop: Signer, folder: Path, public_key: PublicKey
) -> None:
    noop("sign", *files(2))
    spoil()
    assert noop("sign", "--missing", "f000", "f001").exit_code == 0
    public_key.verify(Path("f000.sig").read_bytes(), Path("f000").read_bytes())


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_missing_knows_signatures_in_their_encoding(encoding: str, noop: Signer, folder: Path) -> None:
    noop("sign", "--encoding", encoding, *files(2))
    before = os.stat("f000.sig").st_ino
    noop("sign", "--missing", "--encoding", encoding, "f000")
    assert os.stat("f000.sig").st_ino == before


def test_missing_signs_beside_the_file_even_if_it_is_one(noop: Signer, folder: Path, public_key: PublicKey) -> None:
    result = noop("sign", "--missing", *files(1))
    assert (result.exit_code, result.stdout) == (0, "")
    verify(public_key, {"f000"})


def test_missing_with_an_algorithm_that_signs_anew_each_time(noop: Signer, folder: Path) -> None:
    run = ("--backend", "noop", "--set", f"seed={SEED}", "--set", "algorithm=ecdsa-p256-sha256", "sign")
    program(*run, *files(2))
    before = Path("f000.sig").read_bytes()
    assert program(*run, "--missing", "f000", "f001").returncode == 0
    assert Path("f000.sig").read_bytes() == before


# --- lists of files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_list_of_files(end: str, noop: Signer, folder: Path, public_key: PublicKey) -> None:
    every = files(3)
    assert noop("sign", "--files-from", "-", every[0], input=end.join([*every[1:], ""])).exit_code == 0
    verify(public_key, {*every})
    Path("list").write_bytes(f"{every[0]}{end}".encode())
    os.unlink("f000.sig")
    assert noop("sign", "--files-from", "list").stdout == ""
    verify(public_key, {every[0]})


@given(st.lists(st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"_")), min_size=1))
def test_any_name_can_be_listed(every: list[bytes]) -> None:
    Path("list").write_bytes(b"".join(name + b"\0" for name in every))
    assert [os.fsencode(name) for name in listed("list")] == every


def test_a_name_that_ends_with_a_carriage_return_is_one_among_others(noop: Signer, folder: Path) -> None:
    for name in ("one\r", "two"):
        Path(name).write_text(name)
    assert noop("sign", "--files-from", "-", input="one\r\ntwo\n").exit_code == 0
    assert signed() == {"one\r", "two"}


def test_an_empty_list_is_an_error(noop: Signer, folder: Path) -> None:
    result = noop("sign", "--files-from", "-", input="\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the standard input lists no file\nremedy: nothing was signed")


@pytest.mark.parametrize("more", [("--files-from", "list"), ("--missing", "f000")])
def test_output_is_for_the_signature_of_one_file_alone(more: tuple[str, ...], noop: Signer, folder: Path) -> None:
    Path("list").write_text(*files(1))
    assert noop("sign", "-o", "signed", *more).exit_code == 2
    assert signed() == set()
