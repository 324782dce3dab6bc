"""A log is continued where it ends, whatever happened to it; and where that cannot be, no signature comes out."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_audit.tail import LONGEST_TORN
from signer_audit.verification import verify
from signer_core.errors import ConfigError, ExtensionError

from .logs import entries, heads, intact, lines, messages_in, opened, sha256, sign

MESSAGES = [sha256(b"1"), sha256(b"2"), sha256(b"3")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


# The file


def test_it_is_made_for_its_owner_only(path: Path) -> None:
    before = os.umask(0o777)
    try:
        opened(path).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b""


def test_one_that_is_there_keeps_its_mode(path: Path) -> None:
    path.touch()
    path.chmod(0o640)
    sign(path, b"1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_its_directory_must_be_there(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file or directory; make its directory"):
        opened(path.parent / "missing" / "audit.jsonl")
    with pytest.raises(ConfigError, match="Not a directory"):
        path.touch()
        opened(path / "audit.jsonl")


def test_a_symbolic_link_is_not_followed(path: Path) -> None:
    for target in ("elsewhere", os.devnull):
        path.symlink_to(target)
        with pytest.raises(ConfigError, match="it is a symbolic link, which is not followed"):
            opened(path)
        path.unlink()
    assert not (path.parent / "elsewhere").exists()


def test_what_is_no_regular_file_is_refused(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="no regular file"):
        opened(path)
    with pytest.raises(ConfigError, match="Is a directory"):
        opened(path.parent)
    with pytest.raises(ConfigError, match="no regular file"):
        opened(Path(os.devnull))


FOREIGN = {
    "hosts": b"127.0.0.1 localhost\n",
    "no newline at the end": b"127.0.0.1 localhost",
    "json": b'{"version":1}\n',
    "json without newline": b'{"version":1}',
    "empty lines": b"\n\n",
    "bytes": bytes(range(256)) * 100,
    "one long line": b"x" * 2 * LONGEST_TORN,
    "many lines": b"x\n" * LONGEST_TORN,
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_file_that_is_no_log_is_refused_and_stays_as_it_is(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"cannot be continued: its last line is .* set 'path' to another file$"):
        opened(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("change", [lambda line: line.replace(b"signed", b"failed"), lambda line: line[:-9] + b"\n"])
def test_a_log_whose_last_line_was_changed_is_refused(change: Callable[[bytes], bytes], path: Path) -> None:
    sign(path, b"1", b"2")
    one, two = lines(path)
    path.write_bytes(one + change(two))
    with pytest.raises(ConfigError, match="cannot be continued: its last line"):
        opened(path)


def test_a_last_line_that_is_changed_under_an_open_signer_withholds_signatures(path: Path) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        path.write_bytes(path.read_bytes() + b"x\n")
        for _ in range(2):
            with pytest.raises(ExtensionError, match="its last line is no entry"):
                signer.sign(b"2")


# Torn lines


@settings(max_examples=25)
@given(kept=st.lists(st.integers(0, 900), min_size=1, max_size=4))
def test_a_torn_end_is_kept_and_the_log_goes_on(kept: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    """However often that happens, and wherever the line was torn; also while its ending was written."""
    path = tmp_path_factory.mktemp("torn") / "audit.jsonl"
    ends = [b""]
    for number, each in enumerate(kept):
        sign(path, str(number).encode())
        ends.append(path.read_bytes()[: len(ends[-1]) + each])
        path.write_bytes(ends[-1])
        assert verify([path]).problem is None
    sign(path, b"last")
    content = path.read_bytes()
    assert all(content.startswith(each) for each in ends)
    report = intact(path)
    assert (messages_in(path)[-1], report.head) == (sha256(b"last"), heads(lines(path))[-1])
    assert (report.torn > 0) is (b"<torn>" in content)


def test_a_torn_line_is_ended_and_tied_to_the_next_one(path: Path) -> None:
    sign(path, b"1", b"2")
    whole, torn = lines(path)[0], lines(path)[1][:50]
    path.write_bytes(whole + torn)
    sign(path, b"3")
    assert lines(path)[:2] == [whole, torn + b"<torn>\n"]
    assert len(lines(path)) == 3
    [_, three] = entries(path)
    assert (three["prev"], three["torn"]) == (sha256(whole), sha256(torn + b"<torn>\n"))
    assert messages_in(path) == [MESSAGES[0], MESSAGES[2]]


def test_a_line_that_lacks_only_its_newline_is_torn_too(path: Path) -> None:
    sign(path, b"1", b"2")
    path.write_bytes(path.read_bytes()[:-1])
    sign(path, b"3")
    assert messages_in(path) == [MESSAGES[0], MESSAGES[2]]
    assert intact(path).torn == 1


def test_an_open_signer_goes_on_after_what_another_process_left(path: Path) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        with open(path, "ab") as file:
            file.write(b'{"v":1,"prev":"5')
        signer.sign(b"2")
        signer.sign(b"3")
    assert messages_in(path) == MESSAGES
    assert (intact(path).lines, intact(path).torn) == (3, 1)


@pytest.mark.parametrize("torn", [b"\0" * 4096, b"\xff\xc3", b"\r" * 50, b"x" * (LONGEST_TORN - 10)])
def test_a_torn_line_may_be_anything(torn: bytes, path: Path) -> None:
    sign(path, b"1")
    with open(path, "ab") as file:
        file.write(torn)
    sign(path, b"2")
    assert torn + b"<torn>\n" in path.read_bytes()
    assert (intact(path).lines, intact(path).torn) == (2, 1)


@pytest.mark.parametrize("more", range(-8, 3))
def test_a_torn_line_is_continued_only_if_it_can_be_verified_afterwards(more: int, path: Path) -> None:
    sign(path, b"1")
    content = path.read_bytes() + b"x" * (LONGEST_TORN + more)
    path.write_bytes(content)
    if more <= 0:
        sign(path, b"2")
        assert (intact(path).lines, intact(path).torn) == (2, 1)
    else:
        with pytest.raises(ConfigError, match="its last line is longer than any line of an audit log"):
            opened(path)
        assert path.read_bytes() == content


def test_a_line_that_never_ends_is_no_torn_one(path: Path) -> None:
    sign(path, b"1")
    with open(path, "ab") as file:
        file.write(b"x" * 2 * LONGEST_TORN)
    with pytest.raises(ConfigError, match="its last line is longer than any line of an audit log"):
        opened(path)


# A log that is cut, moved or deleted


def test_a_log_that_was_cut_withholds_signatures_until_it_is_moved_away(path: Path) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        signer.sign(b"2")
        head = heads(lines(path))[-1]
        os.truncate(path, len(lines(path)[0]))
        for _ in range(2):
            with pytest.raises(ExtensionError, match=r"was cut: it has \d+ bytes, and had \d+; move away what is left"):
                signer.sign(b"3")
        path.rename(path.with_suffix(".cut"))
        signer.sign(b"3")
    assert [(each["message_sha256"], each["continues"]) for each in entries(path)] == [(MESSAGES[2], head)]
    assert "was cut off" in (verify([path.with_suffix(".cut"), path]).problem or "")


def test_a_log_that_was_emptied_withholds_signatures(path: Path) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        os.truncate(path, 0)
        with pytest.raises(ExtensionError, match="was cut"):
            signer.sign(b"2")
    assert path.read_bytes() == b""


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [each.getMessage() for each in caplog.records if each.name == "signer_audit"]


def test_a_log_that_was_moved_is_continued_in_a_new_file(path: Path, warnings: Callable[[], list[str]]) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        path.rename(path.with_suffix(".old"))
        signer.sign(b"2")
        signer.sign(b"3")
    [head] = heads(lines(path.with_suffix(".old")))[1:]
    assert warnings() == [f"{path} was moved or deleted; its last line was {head}"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = entries(path)
    assert (first["prev"], first["continues"]) == ("0" * 64, head)
    assert "continues" not in second
    report = verify([path.with_suffix(".old"), path])
    assert (report.problem, report.lines) == (None, 3)


def test_a_log_that_was_deleted_is_begun_anew(path: Path, warnings: Callable[[], list[str]]) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        head = heads(lines(path))[-1]
        path.unlink()
        signer.sign(b"2")
    assert [each["continues"] for each in entries(path)] == [head]
    assert warnings() == [f"{path} was moved or deleted; its last line was {head}"]


def test_all_who_share_a_log_go_over_to_the_new_file(path: Path) -> None:
    with opened(path) as one, opened(path) as two:
        one.sign(b"1")
        path.rename(path.with_suffix(".old"))
        two.sign(b"2")
        one.sign(b"3")
    assert messages_in(path) == MESSAGES[1:]
    assert verify([path.with_suffix(".old"), path]).problem is None


def test_the_new_file_continues_what_others_wrote_into_the_old_one(path: Path) -> None:
    with opened(path) as one, opened(path) as two:
        two.sign(b"1")
        two.sign(b"2")
        path.rename(path.with_suffix(".old"))
        one.sign(b"3")
    assert [each["continues"] for each in entries(path)] == heads(lines(path.with_suffix(".old")))[-1:]


def test_a_first_line_that_is_torn_does_not_break_the_tie_to_the_file_before(path: Path) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        path.rename(path.with_suffix(".old"))
        path.write_bytes(b'{"v":1,"prev":"0000')  # by a process that saw it first, and was killed
        signer.sign(b"2")
    report = verify([path.with_suffix(".old"), path])
    assert (report.problem, report.lines, report.torn) == (None, 2, 1)


def test_a_directory_that_is_gone_withholds_signatures_until_it_is_back(path: Path) -> None:
    directory = path.parent / "logs"
    directory.mkdir()
    with opened(directory / "audit.jsonl") as signer:
        signer.sign(b"1")
        shutil.rmtree(directory)
        for _ in range(2):
            with pytest.raises(ExtensionError, match="No such file or directory; make its directory"):
                signer.sign(b"2")
        directory.mkdir()
        signer.sign(b"3")
    assert messages_in(directory / "audit.jsonl") == MESSAGES[2:]


def test_a_directory_that_was_replaced_by_a_file_withholds_signatures(path: Path) -> None:
    directory = path.parent / "logs"
    directory.mkdir()
    with opened(directory / "audit.jsonl") as signer:
        shutil.rmtree(directory)
        directory.touch()
        with pytest.raises(ExtensionError, match="Not a directory"):
            signer.sign(b"1")


def test_another_file_in_its_place_is_not_written_to(path: Path) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        (path.parent / "hosts").write_bytes(FOREIGN["hosts"])
        (path.parent / "hosts").rename(path)
        for _ in range(2):
            with pytest.raises(ExtensionError, match="cannot be continued"):
                signer.sign(b"2")
    assert path.read_bytes() == FOREIGN["hosts"]
