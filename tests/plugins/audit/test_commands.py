"""``signer audit verify``."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from signer_core.cli import main

from .logs import heads, lines, opened, sha256, sign


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: pytest.MonkeyPatch) -> Path:
    """A log of three lines, in the working directory."""
    monkeypatch.chdir(tmp_path)
    sign(tmp_path / "audit.jsonl", b"1", b"2", b"3")
    return Path("audit.jsonl")


def verify(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", "verify", *map(str, arguments)])


def test_an_intact_log(log: Path) -> None:
    result = verify(log)
    head = heads(lines(log))[3]
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"the log is intact: 3 lines, head {head}\n"


def test_a_log_that_was_tampered_with(log: Path) -> None:
    one, _, three = lines(log)
    log.write_bytes(one + three)
    result = verify(log)
    assert (result.exit_code, result.stdout) == (1, "")
    error, remedy = result.stderr.splitlines()
    assert error.startswith("error: audit.jsonl, line 2, does not follow the line before it: ")
    assert remedy.startswith("remedy: keep the file as it is; ")


def test_a_log_from_standard_input(log: Path) -> None:
    content = log.read_bytes()
    result = CliRunner().invoke(main, ["audit", "verify", "-"], input=content)
    assert (result.exit_code, result.stdout) == (0, verify(log).stdout)
    one, _, three = lines(log)
    result = CliRunner().invoke(main, ["audit", "verify", "-"], input=one + three)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: the standard input, line 2, does not follow the line before it: ")


def test_a_head_that_is_in_the_log(log: Path) -> None:
    _, _, second, third = heads(lines(log))
    result = verify(log, "--head", third)
    assert result.stdout.splitlines()[1] == "the head that was given is in it, and 0 lines after that"
    result = verify(log, "--head", second.upper())
    assert result.stdout.splitlines()[1] == "the head that was given is in it, and 1 line after that"


def test_a_head_that_is_not_in_the_log(log: Path) -> None:
    head = heads(lines(log))[3]
    log.write_bytes(b"".join(lines(log)[:2]))
    assert verify(log).exit_code == 0
    result = verify(log, "--head", head)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: no line has the hash {head}: the end was cut off, or ")


@pytest.mark.parametrize("head", ["", "0" * 63, "0" * 65, "g" * 64, "0" * 63 + "\n"])
def test_what_is_no_head_is_wrong_usage(log: Path, head: str) -> None:
    assert verify(log, "--head", head).exit_code == 2


def test_no_path_is_wrong_usage(log: Path) -> None:
    assert verify().exit_code == 2


def test_a_torn_line_is_told(log: Path) -> None:
    with open(log, "ab") as file:
        file.write(b"{")
    result = verify(log)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1] == (
        "1 line not written to the end, the last one audit.jsonl, line 4: the process or the machine stopped, "
        "or it is being written now"
    )


def test_several_files(log: Path) -> None:
    with opened(log) as signer:
        log.rename("audit.1.jsonl")
        signer.sign(b"4")
    old_head = heads(lines(Path("audit.1.jsonl")))[-1]
    assert verify("audit.1.jsonl", log).stdout.startswith("the log is intact: 4 lines, head ")
    assert verify(log).stdout.splitlines()[1] == f"it continues a file whose head was {old_head}"
    assert verify(log, "audit.1.jsonl").exit_code == 1


def test_files_that_cannot_be_read(log: Path) -> None:
    shutil.copy(log, "copy")
    for path, reason in (("missing", "No such file or directory"), (".", "Is a directory")):
        for paths in ([path], ["copy", path]):
            result = verify(*paths)
            assert (result.exit_code, result.stdout) == (1, "")
            assert result.stderr.splitlines()[0] == f"error: {path} cannot be read: {reason}"


def test_json_of_an_intact_log(log: Path) -> None:
    _, first, _, third = heads(lines(log))
    result = verify(log, "--json", "--head", first)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "ok": True,
        "problem": None,
        "lines": 3,
        "head": third,
        "torn_lines": 0,
        "last_torn_line": None,
        "continues": None,
        "lines_after_head": 2,
    }


def test_json_of_a_log_that_was_tampered_with(log: Path) -> None:
    one, two, _ = lines(log)
    log.write_bytes(one + two + two)
    result = verify(log, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"], told["lines"], told["head"]) == (1, False, 2, sha256(two))
    assert told["problem"] == "audit.jsonl, line 3, repeats the line before it"
    assert result.stderr.startswith("error: audit.jsonl, line 3, repeats the line before it\n")


def test_it_needs_no_configuration_that_is_in_order(log: Path) -> None:
    Path("signer.toml").write_text("what is this?")
    assert verify(log).exit_code == 0
