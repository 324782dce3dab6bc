"""A log that is not as it was written is found out, whatever was done to it."""

import json
import random
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_audit import entry
from signer_audit.entry import GENESIS, TORN, Links, NotAnEntryError
from signer_audit.tail import LONGEST_TORN
from signer_audit.verification import Report, verify
from signer_core.errors import ConfigError
from tests.strategies import flipped, mutated

from .logs import heads, intact, lines, opened, problem, sha256, sign


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of a log."""
    path = tmp_path_factory.mktemp("log") / "audit.jsonl"
    sign(path, *(str(number).encode() for number in range(8)))
    return lines(path)


@pytest.fixture(scope="module")
def report_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Report]:
    """The report on a log of these lines."""
    path = tmp_path_factory.mktemp("report") / "audit.jsonl"

    def report_on(lines: Sequence[bytes], *, wanted: str | None = None) -> Report:
        path.write_bytes(b"".join(lines))
        return verify([path], wanted=wanted)

    return report_on


ReportOn = Callable[..., Report]
positions = st.integers(0, 7)


def test_an_intact_log_has_its_lines_and_its_head(written: list[bytes], report_on: ReportOn) -> None:
    for number in range(len(written) + 1):
        report = report_on(written[:number])
        assert (report.problem, report.lines, report.head) == (None, number, heads(written)[number])
        assert (report.torn, report.last_torn, report.continues, report.lines_after_wanted) == (0, None, None, None)


@given(position=positions)
def test_a_removed_line_is_found(position: int, written: list[bytes], report_on: ReportOn) -> None:
    report = report_on(written[:position] + written[position + 1 :], wanted=heads(written)[-1])
    assert report.problem is not None
    if position < 7:  # one that was the last is missed only by who knows of it
        assert f"line {position + 1}, " in report.problem


@given(position=positions)
def test_a_changed_line_is_found(position: int, written: list[bytes], report_on: ReportOn) -> None:
    changed = written[position].replace(b'"signed"', b'"failed"')
    report = report_on([*written[:position], changed, *written[position + 1 :]])
    assert (report.problem or "").endswith(f"line {position + 1}, was changed: its check belongs to another text")
    assert (report.lines, report.head) == (position, heads(written)[position])


@given(position=positions)
def test_a_changed_line_with_a_new_check_is_found(position: int, written: list[bytes], report_on: ReportOn) -> None:
    body = written[position].replace(b'"signed"', b'"failed"').partition(b',"check"')[0]
    forged = b'%s,"check":"%s"}\n' % (body, sha256(body).encode())
    report = report_on([*written[:position], forged, *written[position + 1 :]], wanted=heads(written)[-1])
    assert report.problem is not None
    if position < 7:
        assert f"line {position + 2}, does not follow the line before it" in report.problem


@given(position=positions, times=st.integers(1, 3))
def test_a_repeated_line_is_found(position: int, times: int, written: list[bytes], report_on: ReportOn) -> None:
    report = report_on([*written[: position + 1], *[written[position]] * times, *written[position + 1 :]])
    assert (report.problem or "").endswith(f"line {position + 2}, repeats the line before it")


@given(source=positions, target=positions)
def test_a_line_that_is_there_once_more_is_found(
    source: int, target: int, written: list[bytes], report_on: ReportOn
) -> None:
    assert report_on([*written[:target], written[source], *written[target:]]).problem is not None


@given(order=st.permutations(range(8)))
def test_reordered_lines_are_found(order: list[int], written: list[bytes], report_on: ReportOn) -> None:
    found = report_on([written[position] for position in order]).problem is not None
    assert found is (order != sorted(order))


@given(kept=st.sets(positions))
def test_lines_that_are_left_are_a_log_if_they_are_its_beginning(
    kept: set[int], written: list[bytes], report_on: ReportOn
) -> None:
    left = [written[position] for position in sorted(kept)]
    assert (report_on(left).problem is None) is (left == written[: len(left)])
    assert (report_on(left, wanted=heads(written)[-1]).problem is None) is (left == written)


@given(data=st.data())
def test_no_change_of_bytes_goes_unnoticed_by_who_knows_the_head(
    data: st.DataObject, written: list[bytes], report_on: ReportOn
) -> None:
    """Without the head, all but a cut end."""
    content = b"".join(written)
    changed = data.draw(mutated(content) | flipped(content))
    if changed == content:
        return
    if changed.startswith(content):  # nothing was changed, and what was added is no entry
        report = report_on([changed])
        assert (report.problem is None) is (report.torn == 1)
        return
    assert report_on([changed], wanted=heads(written)[-1]).problem is not None
    report = report_on([changed])
    if report.problem is None:
        ends = changed.rfind(b"\n") + 1
        assert content.startswith(changed[:ends])
        assert report.torn == (ends < len(changed))


@pytest.mark.parametrize("position", range(9))
def test_a_head_is_found_with_the_lines_after_it(position: int, written: list[bytes], report_on: ReportOn) -> None:
    report = report_on(written, wanted=heads(written)[position])
    assert (report.problem, report.lines_after_wanted) == (None, 8 - position)


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_cut_end_is_found_by_the_head(cut: int, written: list[bytes], report_on: ReportOn) -> None:
    report = report_on(written[:-cut], wanted=heads(written)[-1])
    assert (
        report.problem == f"no line has the hash {heads(written)[-1]}: the end was cut off, or the log was written anew"
    )


# Torn lines


@pytest.mark.parametrize("end", [1, 10, 100, -100, -77, -76, -2, -1])
def test_a_torn_last_line_is_reported(end: int, written: list[bytes], report_on: ReportOn) -> None:
    report = report_on([*written[:7], written[7][:end]])
    assert (report.problem, report.lines, report.head) == (None, 7, heads(written)[7])
    assert report.torn == 1
    assert (report.last_torn or "").endswith("audit.jsonl, line 8")


def continued(written: Sequence[bytes], torn: str | None) -> bytes:
    """A line like the last one, after torn lines with that hash."""
    record = written[-1].partition(b'",')[2].partition(b',"check"')[0]
    return entry.line(b'"time"' + record.partition(b'"time"')[2], Links(sha256(written[-1]), torn))


@given(pieces=st.lists(st.binary(max_size=40).filter(lambda each: b"\n" not in each), min_size=1, max_size=4))
def test_torn_lines_are_tied_to_the_next_one(pieces: list[bytes], written: list[bytes], report_on: ReportOn) -> None:
    torn = [piece + TORN for piece in pieces]
    after = continued(written, sha256(b"".join(torn)))
    report = report_on([*written, *torn, after])
    assert (report.problem, report.lines, report.torn) == (None, 9, len(torn))
    for other in (torn[1:], [*torn, TORN], [b"x" + torn[0], *torn[1:]]):
        assert report_on([*written, *other, after]).problem is not None
    assert report_on([*written, *torn, continued(written, None)]).problem is not None


def test_a_torn_line_that_was_put_between_others_is_found(written: list[bytes], report_on: ReportOn) -> None:
    report = report_on([*written[:3], b"<torn>\n", *written[3:]])
    assert (report.problem or "").endswith(
        "line 5, does not follow what is before it: torn lines were changed, added or removed there"
    )


# What is no log


def in_place_of_the_last(line: bytes, written: list[bytes]) -> list[bytes]:
    return [*written[:7], line]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"\0" * 100 + b"\n",
        b"\xff\xfe\x00" * 50 + b"\n",
        b'{"v":1}\n',
        b"[" * 60_000 + b"\n",
        b'{"a":' * 10_000 + b"\n",
        b"{" * 70_000 + b"\n",
        b"NaN\n",
        b"null\r\n",
        b"9" * 10_000 + b"\n",
    ],
    ids=lambda line: repr(line[:8]),
)
def test_what_is_no_entry_is_found(line: bytes, written: list[bytes], report_on: ReportOn) -> None:
    assert "line 8, is " in (report_on(in_place_of_the_last(line, written)).problem or "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1,"v":1'),
        (b'"v":1', b'"v":1.0'),
        (b'"v":1', b'"v": 1'),
        (b'"error":null', b'"error":NaN'),
        (b'"error":null', b'"error":{"a":[]}'),
        (b'"error":null', b'"error":"\x7f"'),
        (b'"error":null', b'"error":"\xff"'),
        (b'"error":null', b'"error":"\xc3\xbc"'),
        (b'"error":null', b'"error":"\\q"'),
        (b'"error":null', b'"error":null,"error":null'),
        (b'"error":null', b'"error":null,"more":1'),
        (b'"signed"', b'"maybe"'),
        (b'"message_size":1', b'"message_size":-1'),
        (b'"message_size":1', b'"message_size":1e3'),
    ],
)
def test_other_lines_than_those_of_the_format_are_none(old: bytes, new: bytes, written: list[bytes]) -> None:
    """Even with a check that is right."""
    body = written[7].replace(old, new).partition(b',"check"')[0]
    assert body != written[7].partition(b',"check"')[0]
    with pytest.raises(NotAnEntryError, match="is no entry"):
        entry.parse(b'%s,"check":"%s"}\n' % (body, sha256(body).encode()))


texts = st.text(max_size=30) | st.text(st.characters(categories=["Cc", "Cs", "Po"]), max_size=10)


@given(error=texts | st.none(), name=texts | st.none(), key_id=texts, size=st.none() | st.integers(0, 2**70))
def test_lines_are_json_and_of_the_format(
    error: str | None, name: str | None, key_id: str, size: int | None, written: list[bytes]
) -> None:
    fields = json.loads(written[0]) | {"error": error, "signer": name, "key_id": key_id, "message_size": size}
    for each in ("v", "prev", "check"):
        del fields[each]
    line = entry.line(entry.encoded(fields), Links(GENESIS))
    assert json.loads(line).items() >= json.loads(json.dumps(fields)).items()
    assert entry.parse(line) == (Links(GENESIS), sha256(line))


@given(content=st.binary(max_size=2000).filter(lambda each: not each.startswith(b"{")))
def test_no_bytes_are_too_much(content: bytes, report_on: ReportOn) -> None:
    report = report_on([content])
    assert (report.lines, report.head) == (0, GENESIS)
    assert (report.problem is None) is (content == b"")


@pytest.mark.parametrize("end", [1, 10, 70])
def test_a_log_may_hold_only_the_beginning_of_a_line(end: int, written: list[bytes], report_on: ReportOn) -> None:
    for content in (written[0][:end], written[0][:end] + TORN, written[0][:end] + TORN + b"more"):
        report = report_on([content])
        assert (report.problem, report.lines, report.head) == (None, 0, GENESIS)


@pytest.mark.parametrize("content", [b"a text without a newline", b"\0", b'{"v":2', TORN, b"x" + TORN])
def test_what_does_not_begin_as_a_log_is_none(content: bytes, report_on: ReportOn) -> None:
    assert (report_on([content]).problem or "").endswith("line 1, does not begin as an audit log does")


def test_one_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with open(path, "wb") as file:
        file.truncate(1 << 32)  # a hole: nothing but NUL
    tracemalloc.start()
    try:
        assert problem(path) == f"{path}, line 1, is longer than any line of an audit log"
        assert tracemalloc.get_traced_memory()[1] < 4 * LONGEST_TORN
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_log(tmp_path: Path, written: list[bytes]) -> None:
    record = b'"time"' + written[0].partition(b'"time"')[2].partition(b',"check"')[0]
    path, links = tmp_path / "audit.jsonl", Links(GENESIS)
    with open(path, "wb") as file:
        for number in range(10_000):
            line = entry.line(record, links)
            links = Links(sha256(line))
            if number % 100 == 0:
                torn = b"x" * 100 + TORN
                line, links = line + torn, Links(links.previous, sha256(torn))
            file.write(line)
    tracemalloc.start()
    try:
        report = intact(path)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()
    assert (report.lines, report.torn) == (10_000, 100)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(ConfigError, match=f"^{path} cannot be read: "):
            verify([path])


# Several files


def rotated(directory: Path) -> list[Path]:
    """The files of a log that was moved twice while it was written."""
    path = directory / "audit.jsonl"
    with opened(path) as signer:
        for number in (1, 2):
            signer.sign(b"first of the file")
            signer.sign(b"second of the file")
            path.rename(directory / f"audit.{number}.jsonl")
        signer.sign(b"last")
    return [directory / "audit.1.jsonl", directory / "audit.2.jsonl", path]


def test_files_in_their_order_are_one_log(tmp_path: Path) -> None:
    files = rotated(tmp_path)
    head = heads(lines(files[0]))[-1]
    report = verify(files, wanted=head)
    assert (report.problem, report.lines, report.lines_after_wanted, report.continues) == (None, 5, 3, None)
    assert verify(files[1:]).continues == head


def test_each_file_is_a_log_by_itself(tmp_path: Path) -> None:
    assert [intact(each).lines for each in rotated(tmp_path)] == [2, 2, 1]


def test_a_file_that_is_missing_or_in_the_wrong_place_is_found(tmp_path: Path) -> None:
    one, two, three = rotated(tmp_path)
    for files in ([one, three], [two, one], [one, one], [one, three, two]):
        assert f"{files[1]}, line 1, " in (verify(files).problem or "")


def test_a_file_that_was_cut_is_found_by_the_next_one(tmp_path: Path) -> None:
    one, two, _ = rotated(tmp_path)
    one.write_bytes(lines(one)[0])
    assert verify([one]).problem is None
    assert "does not continue the file before it" in (verify([one, two]).problem or "")


def test_a_line_that_was_put_into_another_file_is_found(tmp_path: Path) -> None:
    one, two, three = rotated(tmp_path)
    three.write_bytes(lines(two)[1] + three.read_bytes())
    assert (
        verify([one, two, three]).problem
        == f"{three}, line 1, is not the first of a file: what was before it is missing"
    )


def test_shuffled_logs_of_many_lines_are_found(written: list[bytes], report_on: ReportOn) -> None:
    shuffled = written * 10
    random.Random(1).shuffle(shuffled)
    assert report_on(shuffled).problem is not None
