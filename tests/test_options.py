import math
import pickle
from pathlib import Path
from typing import Annotated, Any, Optional, Union

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Secret
from signer_core.errors import ConfigError, PluginContractError
from signer_core.options import Conversion, ShellText, budget, describe, description, seconds
from tests.strategies import Level, Mode, values

HERE = Conversion(Path("/here"))


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        (0, 0.0),
        (10, 10.0),
        (0.25, 0.25),
        ("250ms", 0.25),
        ("10s", 10.0),
        ("1.5s", 1.5),
        ("1m30s", 90.0),
        ("1h", 3600.0),
        ("2h3m4s5ms", 7384.005),
        ("90m", 5400.0),
        ("0s", 0.0),
        (math.inf, math.inf),
    ],
)
def test_seconds(written: float | str, duration: float) -> None:
    assert seconds(written) == duration


@pytest.mark.parametrize(
    "written",
    [
        *("", "10", "s", "ten", "1s1m", "-1s", "1,5s", " 1s", "1s ", "1S", "1.5h", "١s", "1d", "1e3s", "infs", "nan"),
        *(True, False, -1, -0.1, math.nan, -math.inf, 10**400, -(10**400), None, b"1s", [1], 1j),
    ],
)
def test_seconds_refuses(written: Any) -> None:
    with pytest.raises(ValueError, match=r'^write seconds, or a text like "250ms"'):
        seconds(written)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_seconds_adds_its_parts(hours: int, minutes: int, whole: int, milli: int) -> None:
    written = f"{hours}h{minutes}m{whole}s{milli}ms"
    assert seconds(written) == hours * 3600 + minutes * 60 + whole + milli / 1000


@given(values)
def test_seconds_is_a_number_or_a_value_error(written: Any) -> None:
    try:
        assert seconds(written) >= 0
    except ValueError:
        pass


@pytest.mark.parametrize("written", [0, "0s", "0h0m0s0ms", 0.0, -1])
def test_budget_is_longer_than_0(written: float | str) -> None:
    with pytest.raises(ValueError):
        budget(written)


def test_budget_may_be_none() -> None:
    assert budget(None) is None
    assert budget("1m") == 60.0


def test_description_is_what_describe_said() -> None:
    @attrs.frozen
    class Config:
        url: str = attrs.field(metadata=describe("where it answers"))
        other: str

    assert [description(field) for field in attrs.fields(Config)] == ["where it answers", ""]


@pytest.mark.parametrize(
    ("wanted", "value", "converted"),
    [
        (str, "text", "text"),
        (str, "", ""),
        (int, -5, -5),
        (int, 10**400, 10**400),
        (float, 1, 1.0),
        (float, 1.5, 1.5),
        (float, math.inf, math.inf),
        (bool, True, True),
        (Path, "keys", Path("/here/keys")),
        (Path, Path("keys"), Path("/here/keys")),
        (Path, "/abs", Path("/abs")),
        (Mode, "safe", Mode.SAFE),
        (Mode, Mode.FAST, Mode.FAST),
        (Level, 2, Level.HIGH),
        (tuple[str, ...], ["a", "b"], ("a", "b")),
        (tuple[str, ...], ("a",), ("a",)),
        (tuple[str, ...], [], ()),
        (dict[str, str], {"a": "b"}, {"a": "b"}),
        (str | None, None, None),
        (str | None, "x", "x"),
        (Optional[int], 3, 3),  # noqa: UP045
        (Union[Path, None], "x", Path("/here/x")),  # noqa: UP007
        (tuple[str, ...] | None, ["a"], ("a",)),
    ],
)
def test_convert(wanted: Any, value: object, converted: object) -> None:
    result = HERE.convert(value, wanted)
    assert result == converted
    assert type(result) is type(converted)


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        *((str, each) for each in (5, None, True, b"x", ["x"], Path("x"))),
        *((int, each) for each in ("5", 5.0, True, None, math.nan)),
        *((float, each) for each in ("5", True, None, math.nan, 10**400, -(10**400))),
        *((bool, each) for each in ("true", 1, 0, None)),
        *((Path, each) for each in ("", "a\0b", 5, None, b"x", ["x"])),
        *((Secret, each) for each in (5, None, b"x", ["x"])),
        *((Mode, each) for each in ("FAST", "", None, 1)),
        *((Level, each) for each in ("1", True, 3, 1.5)),
        *((tuple[str, ...], each) for each in ("ab", [1], {"a": "b"}, None, [None])),
        *((dict[str, str], each) for each in ([("a", "b")], {"a": 1}, {1: "a"}, "x", None)),
    ],
)
def test_convert_refuses_what_is_of_another_type(wanted: Any, value: object) -> None:
    with pytest.raises(ValueError, match=r"^write "):
        HERE.convert(value, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        *(bytes, list, list[str], tuple, tuple[int, ...], tuple[str], dict, dict[str, int], object, Any, None, type),
        *(int | str, int | str | None, Annotated[str, "x"], "str", 5, set[str], complex),
    ],
)
def test_convert_refuses_an_annotation_that_no_option_has(wanted: Any) -> None:
    with pytest.raises(PluginContractError, match="an option cannot be of type"):
        HERE.convert("x", wanted)


def test_convert_makes_paths_under_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert HERE.convert("~/keys", Path) == Path("/home/somebody/keys")


def test_convert_leaves_the_names_of_a_table_alone() -> None:
    given_table = {"a": "b"}
    converted = HERE.convert(given_table, dict[str, str])
    assert converted is not given_table


def test_enum_names_what_may_be_written() -> None:
    with pytest.raises(ValueError, match=r"^write one of: fast, safe$"):
        HERE.convert("quick", Mode)


def test_secret_out_of_a_reference(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_bytes(b"hunter2")
    assert Conversion(tmp_path).convert("file:passphrase", Secret).reveal() == b"hunter2"


def test_secret_out_of_a_prompt() -> None:
    conversion = Conversion(Path("/"), str.encode)
    assert conversion.for_option("token").convert("prompt", Secret).reveal() == b"token"


def test_secret_made_in_code() -> None:
    secret = Secret(b"hunter2")
    assert HERE.convert(secret, Secret) is secret
    assert HERE.convert(lambda: b"called", Secret | None).reveal() == b"called"


def test_secret_written_out_is_refused() -> None:
    with pytest.raises(ConfigError):
        HERE.convert("hunter2", Secret)


@given(values, st.sampled_from((str, int, float, bool, Path, Secret, Mode, Level, tuple[str, ...], dict[str, str])))
def test_convert_gives_the_wanted_type_or_a_value_error(value: object, wanted: Any) -> None:
    try:
        converted = HERE.convert(value, wanted)
    except ValueError:
        return
    assert isinstance(converted, getattr(wanted, "__origin__", wanted))


@pytest.mark.parametrize(
    ("text", "wanted", "converted"),
    [
        ("10", int, 10),
        ("1.5", float, 1.5),
        ("true", bool, True),
        ("10", str, "10"),
        ('"10"', str, "10"),
        ("alias/x", str, "alias/x"),
        ("true", str, "true"),
        ("", str, ""),
        ("keys", Path, Path("/here/keys")),
        ('"my keys"', Path, Path("/here/my keys")),
        ("safe", Mode, Mode.SAFE),
        ('"safe"', Mode, Mode.SAFE),
        ("2", Level, Level.HIGH),
        ("2", Level | None, Level.HIGH),
        ('["a", "b"]', tuple[str, ...], ("a", "b")),
        ('{a = "b"}', dict[str, str], {"a": "b"}),
        ("5", int | None, 5),
        ("1\nother = 2", str, "1\nother = 2"),
        ("9" * 5000, str, "9" * 5000),
        ("[" * 5000, str, "[" * 5000),
    ],
)
def test_convert_out_of_a_shell(text: str, wanted: Any, converted: object) -> None:
    assert HERE.convert(ShellText(text), wanted) == converted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        *(("ten", int), ("1.5", int), ("yes", bool), ("a,b", tuple[str, ...]), ("1\nother = 2", int), ("3", Level)),
        *(("9" * 5000, int), ("[" * 5000, tuple[str, ...])),
    ],
)
def test_convert_out_of_a_shell_refuses(text: str, wanted: Any) -> None:
    with pytest.raises(ValueError, match=r"^write "):
        HERE.convert(ShellText(text), wanted)


def test_shell_text_of_a_secret_is_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROWAWAY", "hunter2")
    assert HERE.convert(ShellText("env:THROWAWAY"), Secret).reveal() == b"hunter2"


@given(st.text())
def test_shell_text_is_always_some_value(text: str) -> None:
    assert isinstance(ShellText(text).as_text(), str)


def test_shell_text_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(ShellText("10s")))
    assert (type(again), again) == (ShellText, "10s")
