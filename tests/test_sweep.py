"""What looks for faults, `python -m sweep`: its targets take what is right, and what once went wrong stays mended."""

import logging
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from signer_core.errors import ConfigError
from sweep import target
from sweep.__main__ import main, shared
from sweep.changes import Change, reasons
from sweep.groups import groups
from sweep.target import MARKER, UnexpectedError, expect, holds_no_secret, refusing
from sweep.targets import TARGETS, configuration

ROOT = Path(__file__).parent.parent
REGRESSIONS = Path(__file__).parent / "regressions"


@pytest.fixture(autouse=True)
def _clean(clean_environment: pytest.MonkeyPatch) -> Iterator[None]:
    """No ``SIGNER_…`` variable; and the targets, which let nothing be logged, leave no trace."""
    before = logging.root.manager.disable
    yield
    logging.disable(before)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--minutes", "inf", "fuzz"], "Invalid value for '--minutes'"),
        (["--minutes", "nan", "fuzz"], "Invalid value for '--minutes'"),
        (["--minutes", "0", "fuzz"], "Invalid value for '--minutes'"),
        (["fuzz", "--only", "public-pen"], "'public-pen' is none of public-pem, "),
        (["mutation", "--only", "public-pem"], "'public-pem' is none of deadline, "),
        (["soak", "--only", "signer"], "'signer' is for fuzz or mutation"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(arguments: list[str], problem: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, "==" in result.output) == (2, False)
    assert problem in result.output


def test_time_is_shared_by_what_is_left_of_it_and_none_is_taken_beyond(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 0.0, 35.0, 64.0])  # each takes twenty seconds to begin
    assert [*shared(["a", "b", "c", "d"], 60.0, clock=clock.__next__)] == [("a", 15.0), ("b", 25 / 3)]
    assert capsys.readouterr().out == "no time was left for c, d\n"


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_fuzzed_first_is_right_and_what_once_went_wrong_is_mended(name: str) -> None:
    found = sorted(REGRESSIONS.glob(f"{name}/*"))
    with TARGETS[name].check() as check:
        for data in [*TARGETS[name].seeds(), *(each.read_bytes() for each in found)]:
            check(data)


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"ssh-purpose"}))
def test_some_of_what_is_fuzzed_first_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the fuzzing would not get behind the first check; of ssh-purpose's two readers one refuses each."""
    refused: list[BaseException | None] = []
    monkeypatch.setattr(target, "holds_no_secret", refused.append)
    monkeypatch.setattr(configuration, "holds_no_secret", refused.append)
    seeds = list(TARGETS[name].seeds())
    with TARGETS[name].check() as check:
        for data in seeds:
            check(data)
    assert len(refused) < len(seeds)


def test_secret_is_found_in_an_error_and_in_what_led_to_it() -> None:
    for secret in (MARKER.decode(), MARKER.hex(), f"x{MARKER!r}"):
        with pytest.raises(UnexpectedError):
            holds_no_secret(ConfigError(secret))
        error = ConfigError("harmless")
        error.__context__ = ValueError(secret)
        with pytest.raises(UnexpectedError), refusing():
            raise error
    holds_no_secret(ConfigError("harmless"))


def test_other_errors_than_ours_are_findings() -> None:
    with pytest.raises(KeyError), refusing():
        raise KeyError
    with pytest.raises(UnexpectedError, match="broken"):
        expect(False, "broken")


def test_what_is_mutated_is_there_and_so_are_its_tests() -> None:
    packages = [path.parent for path in [ROOT / "signer_core", *ROOT.glob("plugins/*/signer_*")]]
    for group in groups():
        for pattern in group.modules:
            assert [path for package in packages for path in package.glob(pattern)], pattern
        for test in (*group.tests, *group.leave_out):
            path, _, name = test.partition("::")
            assert (ROOT / path).exists(), test
            assert not name or f"def {name.partition('[')[0]}(" in (ROOT / path).read_text("utf-8"), test


def test_each_survivor_has_a_reason_of_its_own() -> None:
    tables = tomllib.loads((ROOT / "sweep/survivors.toml").read_text("utf-8"))["survivor"]
    assert all(each["reason"].strip() for each in tables)
    assert len(reasons()) == len(tables)


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ('raise E("the call was cancelled")', 'raise E("XXthe call was cancelledXX")', True),
        ('raise E("the call was cancelled")', 'raise E("THE CALL WAS CANCELLED")', True),
        ('raise E("the call was cancelled")', "raise E(None)", False),
        ('kind = "RAW"', 'kind = "raw"', False),
        ("return a and b", "return a or b", False),
    ],
)
def test_a_change_of_a_messages_wording_needs_no_reason(was: str, becomes: str, expected: bool) -> None:
    assert Change("x.py", was, becomes).is_of_wording is expected


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ('return text.encode("latin-1") + b"x"', 'return text.encode("LATIN-1") + b"x"', True),
        ('return text.encode("latin-1") + b"x"', 'return text.encode("LATIN-1") + b"X"', False),
        ('return text.encode("latin-1") + b"x"', 'return text.encode("latin-1") - b"x"', False),
        ('return text.decode("latin-1")', 'return text.decode("XXlatin-1XX")', False),
    ],
)
def test_a_change_of_the_case_of_a_codec_needs_no_reason(was: str, becomes: str, expected: bool) -> None:
    assert Change("x.py", was, becomes).is_of_codec is expected
