"""From a table to a backend's configuration class."""

import enum
import logging
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Secret, create_signer
from signer_core.config import read
from signer_core.config_class import option_fields
from signer_core.core_options import CORE_OPTIONS, CoreOptions
from signer_core.errors import ConfigError, PluginContractError, SignerError
from signer_core.options import ShellText, describe, seconds
from signer_core.settings import Settings
from tests.keys import assert_hides, chain_of
from tests.strategies import EveryOption, Level, Mode, tables, values


def settings(table: dict[str, object], environment: dict[str, str] | None = None, **options: Any) -> Settings:
    found = {name: ShellText(text) for name, text in (environment or {}).items()}
    return Settings(table=table, source="x.toml [signer]", directory=Path("/here"), environment=found, **options)


def built(config_class: type[Any], **options: object) -> Any:
    return settings({"backend": "noop", **options}).backend_config(config_class)


def refused(config_class: type[Any], **options: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        built(config_class, **options)
    return caught.value


def test_each_type_of_option() -> None:
    config = built(
        EveryOption,
        text="t",
        number=1,
        ratio=2,
        flag=True,
        place="p",
        token="env:TOKEN",
        mode="safe",
        level=2,
        names=["a"],
        labels={"a": "b"},
        maybe=None,
    )
    assert repr(config.token) == "Secret('env:TOKEN')"
    assert attrs.evolve(config, token=None) == EveryOption(
        text="t",
        number=1,
        ratio=2.0,
        flag=True,
        place=Path("/here/p"),
        mode=Mode.SAFE,
        level=Level.HIGH,
        names=("a",),
        labels={"a": "b"},
    )


def test_path_that_is_a_default_starts_at_the_directory_too() -> None:
    assert built(EveryOption, text="t").place == Path("/here/default-place")


def test_unknown_option_names_the_one_that_was_meant() -> None:
    assert str(refused(EveryOption, text="t", numbr=1)) == (
        "backend 'noop' has no option 'numbr' (x.toml [signer]); did you mean 'number'?"
    )


def test_unknown_option_that_resembles_none_lists_all() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        url: str = ""
        level: int = 0

    assert refused(Config, zzzzzz=1).remedy == "its options are: level, url"


def test_unknown_option_of_a_backend_without_options() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        pass

    assert refused(Config, zzzzzz=1).remedy == "its options are: none"


def test_unknown_option_among_the_arguments() -> None:
    with pytest.raises(ConfigError, match="no option 'numbr'"):
        settings({"backend": "noop", "text": "t"}, arguments={"numbr": 1}).backend_config(EveryOption)


def test_secret_for_a_backend_that_takes_none_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="no option 'passphrase'") as caught:
        create_signer({"backend": "noop", "passphrase": "hunter2"})
    assert_hides("hunter2", caught.value)


def test_missing_option_says_what_it_is() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        url: str = attrs.field(metadata=describe("where it answers"))

    assert str(refused(Config)) == "option 'url' is missing in x.toml [signer]; add it: where it answers"


@pytest.mark.parametrize("empty", ["", ShellText(""), ShellText('""')])
def test_required_text_that_is_empty(empty: str) -> None:
    assert str(refused(EveryOption, text=empty)) == "option 'text' in x.toml [signer] is empty"


def test_required_list_or_table_that_is_empty() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        names: tuple[str, ...] = ("x",)
        labels: dict[str, str]

    assert built(Config, names=[], labels={"a": "b"}).names == ()
    assert "option 'labels'" in str(refused(Config, labels={}))


def test_required_text_with_a_converter_that_is_empty() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        url: str = attrs.field(converter=_stripped)

    assert "is empty" in str(refused(Config, url=""))


def test_optional_text_may_be_empty() -> None:
    assert built(EveryOption, text="t", maybe="").maybe == ""


@pytest.mark.parametrize(
    ("option", "value", "right"),
    [
        ("text", 5, "write a text"),
        ("number", "5", "write a whole number"),
        ("number", True, "write a whole number"),
        ("ratio", "x", "write a number"),
        ("ratio", 10**400, "write a number"),
        ("flag", "yes", "write true or false"),
        ("place", "", "write a path, not empty and without a NUL"),
        ("mode", "quick", "write one of: fast, safe"),
        ("names", "a", "write a list of texts"),
        ("labels", {"a": 1}, "write a table of texts"),
        ("maybe", date(2020, 1, 1), "write a text"),
    ],
)
def test_mistyped_option_says_what_is_right(option: str, value: object, right: str) -> None:
    error = refused(EveryOption, **{"text": "t", option: value})
    assert str(error) == f"option '{option}' in x.toml [signer] is not right; {right}"


def test_mistyped_option_out_of_the_environment() -> None:
    with pytest.raises(ConfigError, match="option 'number'"):
        settings({"backend": "noop", "text": "t"}, {"number": "many"}).backend_config(EveryOption)


@pytest.mark.parametrize("value", ["hunter2", 5, "", ["hunter2"], b"hunter2"])
def test_secret_that_is_no_reference(value: object) -> None:
    error = refused(EveryOption, text="t", token=value)
    assert error.message == "option 'token' in x.toml [signer] is not right"
    assert 'write "file:PATH", "env:NAME" or "prompt"' in str(error.remedy)
    assert_hides("hunter2", error)
    assert chain_of(error) == [error]


def _stripped(text: str) -> str:
    return text.strip()


def _repeats(value: Any) -> Any:
    raise ValueError(f"not {value}")


def _converts(*, shown: bool, converter: Callable[[Any], Any], annotation: Any = str) -> type[Any]:
    return attrs.make_class(
        "Config",
        {"option": attrs.field(repr=shown, converter=converter, metadata=describe("an option"), type=annotation)},
        frozen=True,
        kw_only=True,
    )


def test_converter_says_what_is_right() -> None:
    error = refused(_converts(shown=True, converter=seconds, annotation=float), option="soon")
    assert str(error).startswith("option 'option' in x.toml [signer] is not right; write seconds, or a text like")


def test_converter_of_an_option_that_is_not_shown_is_not_quoted() -> None:
    error = refused(_converts(shown=False, converter=_repeats), option="hunter2")
    assert error.remedy == "it is an option"
    assert_hides("hunter2", error)
    assert chain_of(error) == [error]


@pytest.mark.parametrize("value", [5, None, ["x"], {"x": "y"}])
def test_converter_that_expects_a_text(value: object) -> None:
    config_class = _converts(shown=True, converter=lambda text: text.lower())
    assert "option 'option'" in str(refused(config_class, option=value))


def test_converter_that_looks_up() -> None:
    config_class = _converts(shown=True, converter={"a": 1}.__getitem__, annotation=int)
    assert built(config_class, option="a").option == 1
    assert "option 'option'" in str(refused(config_class, option="b"))


def test_converter_that_gives_another_type() -> None:
    assert "write a text" in str(refused(_converts(shown=True, converter=len), option="x"))


def test_converter_that_breaks_is_the_plugin_s_fault() -> None:
    def breaks(_: object) -> str:
        raise RuntimeError("hunter2")

    with pytest.raises(PluginContractError, match="converter of option 'option' raised RuntimeError") as caught:
        built(_converts(shown=True, converter=breaks), option="x")
    assert_hides("hunter2", caught.value)


def test_converter_that_takes_the_field() -> None:
    converter: Any = attrs.Converter(lambda value, field: f"{field.name}={value}", takes_field=True)
    config_class = attrs.make_class("Config", {"option": attrs.field(type=str, converter=converter)}, frozen=True)
    assert built(config_class, option="x").option == "option=x"


def test_converter_of_a_path_gets_the_absolute_path() -> None:
    config_class = _converts(shown=True, converter=Path, annotation=Path)
    assert built(config_class, option="keys").option == Path("/here/keys")


def test_converter_of_a_secret_gets_a_secret() -> None:
    config_class = _converts(shown=True, converter=lambda value: value, annotation=Secret)
    assert isinstance(built(config_class, option="env:X").option, Secret)
    assert_hides("hunter2", refused(config_class, option="hunter2"))


def test_converter_of_a_secret_is_not_quoted_even_where_its_author_forgot_repr() -> None:
    def reveals(secret: Any) -> Any:
        raise ValueError(secret.reveal().decode())

    error = refused(_converts(shown=True, converter=reveals, annotation=Secret), option=Secret(b"hunter2"))
    assert_hides("hunter2", error)


def test_validator_says_what_is_right() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        low: int = attrs.field(default=0, validator=attrs.validators.ge(0))
        high: int = attrs.field(default=0, validator=attrs.validators.ge(0))

    error = refused(Config, low=1, high=-1)
    assert error.message == "option 'high' in x.toml [signer] is not right"
    assert "must be >= 0: -1" in str(error.remedy)


def test_validator_sees_what_the_converter_made() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        lease: float = attrs.field(converter=seconds, validator=attrs.validators.gt(1))
        level: int = attrs.field(validator=attrs.validators.gt(1))

    assert "option 'level'" in str(refused(Config, lease="1m", level=0))


def test_validator_of_an_option_that_is_not_shown_is_not_quoted() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        pin: str = attrs.field(repr=False, validator=attrs.validators.matches_re("[0-9]+"))

    error = refused(Config, pin="hunter2")
    assert str(error) == "option 'pin' in x.toml [signer] is not right"
    assert_hides("hunter2", error)
    assert chain_of(error) == [error]


def test_validator_that_compares_options() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        low: int
        high: int = attrs.field()

        @high.validator
        def _is_above(self, _: object, high: int) -> None:
            if high <= self.low:
                raise ValueError("high must be above low")

    assert (
        str(refused(Config, low=2, high=1))
        == "the options in x.toml [signer] do not fit together; high must be above low"
    )


def test_options_that_do_not_fit_together_do_not_show_what_is_hidden() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        pin: str = attrs.field(repr=False)

        def __attrs_post_init__(self) -> None:
            raise ValueError(f"{self.pin} is too short")

    error = refused(Config, pin="hunter2")
    assert str(error) == "the options in x.toml [signer] do not fit together"
    assert_hides("hunter2", error)
    assert chain_of(error) == [error]


def test_class_may_raise_a_configuration_error_of_its_own() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        def __attrs_post_init__(self) -> None:
            raise ConfigError("both are there")

    assert str(refused(Config)) == "both are there"


def test_class_that_breaks_is_the_plugin_s_fault() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        pin: str

        def __attrs_post_init__(self) -> None:
            raise RuntimeError(self.pin)

    with pytest.raises(PluginContractError, match="raised RuntimeError for its options") as caught:
        built(Config, pin="hunter2")
    assert_hides("hunter2", caught.value)


@pytest.mark.parametrize("option", sorted(CORE_OPTIONS))
def test_option_that_is_named_like_one_of_the_core_s(option: str) -> None:
    config_class = attrs.make_class("Config", {option: attrs.field(type=str, default="")}, frozen=True)
    with pytest.raises(PluginContractError, match=f"options that the core has too: {option}"):
        built(config_class)


@attrs.frozen
class _Unresolvable:
    option: "Absent"  # type: ignore[name-defined]  # noqa: F821


@attrs.frozen
class _Ungrammatical:
    option: "str |"  # type: ignore[valid-type]  # noqa: F722


@attrs.frozen
class _Unsupported:
    option: list[str] = attrs.field(factory=list)


@attrs.frozen
class _WithoutType:
    option = attrs.field(default="")  # type: ignore[var-annotated]


class _Plain:
    option: str


@pytest.mark.parametrize(
    "config_class",
    [_Unresolvable, _Ungrammatical, _Unsupported, _WithoutType, _Plain, dict, "x", None, EveryOption(text="")],
)
def test_class_that_is_none_of_attrs_or_has_other_types(config_class: Any) -> None:
    with pytest.raises(PluginContractError):
        built(config_class)


ANNOTATION: Any = "int | None"


def test_annotations_that_are_texts_are_resolved() -> None:
    config_class = attrs.make_class("Config", {"option": attrs.field(type=ANNOTATION, default=None)}, frozen=True)
    assert built(config_class, option=3).option == 3


def test_private_field_has_its_alias_as_name() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        _hidden: int = 0
        made: int = attrs.field(init=False, default=5)

    assert list(option_fields(Config)) == ["hidden"]
    assert built(Config, hidden=3)._hidden == 3


@pytest.mark.parametrize("name", ["", 5, None, ["noop"], True])
def test_backend_that_is_no_name(name: object) -> None:
    with pytest.raises(ConfigError, match="option 'backend' in the configuration: write the name of a backend"):
        read({"backend": name}).backend


def test_backend_that_is_missing() -> None:
    with pytest.raises(ConfigError, match="the configuration names no backend"):
        read({}).backend


def core(**options: object) -> CoreOptions:
    return settings(options).core_options()


def test_core_options() -> None:
    options = core(
        timeout="1m30s",
        attempt_timeout=2,
        max_retries=3,
        verify=True,
        expected_address="0x" + "AB" * 32,
        expected_public_key="cd",
        trusted="signer-noop",
    )
    assert options == CoreOptions(
        timeout=90.0,
        attempt_timeout=2.0,
        max_retries=3,
        verify=True,
        expected_address="0x" + "AB" * 32,
        expected_public_key="cd",
        trusted="signer-noop",
    )
    assert core() == CoreOptions()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("timeout", each) for each in (0, -1, "0s", "soon", "", True, 10**400, float("nan"))),
        *(("attempt_timeout", each) for each in (0, "0s", b"")),
        *(("max_retries", each) for each in (-1, "3", 1.0, True)),
        *(("verify", each) for each in ("true", 1, 0)),
        *(("expected_address", each) for each in ("", "xyz", "ab", "ab" * 33, 5, b"ab", "٠" * 64)),
        *(("expected_public_key", each) for each in ("", "0x", "xyz", "abc", 5)),
        *(("trusted", each) for each in (5, b"x")),
    ],
)
def test_core_option_that_is_not_right(option: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"option '{option}' in x.toml"):
        core(**{option: value})


# --- tables of extensions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("none", [{}, {"extensions": None}, {"extensions": {}}])
def test_no_extensions(none: dict[str, object]) -> None:
    assert settings(none).extensions() == []


def test_extensions_are_in_configured_order_each_with_the_place_of_its_table() -> None:
    found = settings({"extensions": {"policy": {"number": 1}, "audit": {}}}).extensions()
    assert [(each.name, each.source) for each in found] == [
        ("policy", "x.toml [signer.extensions.policy]"),
        ("audit", "x.toml [signer.extensions.audit]"),
    ]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("x.toml [signers.a]", "x.toml [signers.a.extensions.audit]"),
        ("the configuration", "the configuration [signer.extensions.audit]"),
        ("the command line", "the command line [signer.extensions.audit]"),
    ],
)
def test_place_of_the_table_of_an_extension(source: str, place: str) -> None:
    found = Settings(table={"extensions": {"audit": {}}}, source=source, directory=Path("/here"))
    assert [each.source for each in found.extensions()] == [place]


@pytest.mark.parametrize("some", [["audit"], "audit", 0, False, "", [], {1: {}}, {"": {}}, ShellText("audit")])
def test_extensions_that_are_no_tables(some: object) -> None:
    for found in (settings({"extensions": some}), settings({}, arguments={"extensions": some})):
        with pytest.raises(
            ConfigError, match=r"option 'extensions' in .* is not right; .*\[signer\.extensions\.NAME\]"
        ):
            found.extensions()


@pytest.mark.parametrize("table", [None, "hunter2", ["hunter2"], True, {1: "hunter2"}])
def test_extension_whose_table_is_none(table: object) -> None:
    with pytest.raises(
        ConfigError, match=r"^x\.toml \[signer\.extensions\.audit\] is not a table of options"
    ) as caught:
        settings({"extensions": {"audit": table}}).extensions()
    assert_hides("hunter2", caught.value)


def test_arguments_win_over_the_extensions_of_a_table_and_the_environment_does_not() -> None:
    found = settings({"extensions": {"audit": {}}}, {"extensions": "{policy = {}}"})
    assert [each.name for each in found.extensions()] == ["audit"]
    arguments = {"extensions": ShellText('{policy = {text = "t"}}')}
    [policy] = settings({"extensions": {"audit": {}}}, arguments=arguments).extensions()
    assert (policy.name, policy.config(EveryOption).text) == ("policy", "t")


def extension(**options: object) -> Any:
    [found] = settings({"extensions": {"audit": options}}).extensions()
    return found.config(EveryOption)


def test_options_of_an_extension_are_read_as_those_of_a_backend() -> None:
    config = extension(text="t", place="log.jsonl", token="file:token", level=2)
    assert (config.place, config.token.reference, config.level) == (
        Path("/here/log.jsonl"),
        "file:/here/token",
        Level.HIGH,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "t", "numbr": 1}, "extension 'audit' has no option 'numbr' ({}); did you mean 'number'?"),
        ({"text": 5}, "option 'text' in {} is not right; write a text"),
        ({"text": ""}, "option 'text' in {} is empty"),
        ({}, "option 'text' is missing in {}; add it: text"),
    ],
)
def test_options_of_an_extension_that_are_not_right(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        extension(**options)
    assert str(caught.value) == message.format("x.toml [signer.extensions.audit]")


@given(values)
def test_any_value_is_extensions_or_a_configuration_error(value: object) -> None:
    try:
        for each in settings({"extensions": value}).extensions():
            each.config(EveryOption)
    except ConfigError:
        return
    assert value is None or isinstance(value, dict)


def test_table_of_an_extension_gives_the_same_options_elsewhere() -> None:
    names = ["a"]
    [found] = settings({"extensions": {"audit": {"text": "t", "token": "file:token", "names": names}}}).extensions()
    config = found.config(EveryOption)
    table = found.reopening(config)
    names.append("b")
    [again] = Settings(table={"extensions": {"audit": table}}, source="", directory=Path("/elsewhere")).extensions()
    reopened = again.config(EveryOption)
    assert attrs.evolve(reopened, token=None) == attrs.evolve(config, token=None)
    assert repr(reopened.token) == "Secret('file:/here/token')"
    assert (reopened.place, reopened.names) == (Path("/here/default-place"), ("a",))


PROTECTED = (
    "verify",
    "expected_address",
    "expected_public_key",
    "trusted",
    "extensions",
    "allow_unencrypted",
    "backend",
)


def test_environment_cannot_touch_what_protects(caplog: pytest.LogCaptureFixture) -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        allow_unencrypted: bool = False
        expected_thing: str = ""

    environment = {**dict.fromkeys(PROTECTED, "true"), "expected_thing": "x", "timeout": "1s"}
    found = settings({"backend": "noop"}, environment)
    with caplog.at_level(logging.WARNING, "signer_core"):
        found.warn_of_powerless_variables()

    assert found.backend == "noop"
    assert found.core_options() == CoreOptions(timeout=1.0)
    assert found.backend_config(Config) == Config()
    [record] = caplog.records
    assert record.getMessage() == (
        "SIGNER_VERIFY, SIGNER_EXPECTED_ADDRESS, SIGNER_EXPECTED_PUBLIC_KEY, SIGNER_TRUSTED, SIGNER_EXTENSIONS, "
        "SIGNER_ALLOW_UNENCRYPTED, SIGNER_BACKEND, SIGNER_EXPECTED_THING: ignored, this is set in x.toml [signer] only"
    )


def test_environment_sets_options_that_are_only_named_like_what_protects() -> None:
    @attrs.frozen(kw_only=True)
    class Config:
        verify_tls: bool = True
        trusted_hosts: str = ""

    found = settings({"backend": "noop"}, {"verify_tls": "false", "trusted_hosts": "a"})
    assert found.backend_config(Config) == Config(verify_tls=False, trusted_hosts="a")


@pytest.mark.parametrize(
    ("environment", "arguments", "place"),
    [
        ({"timeout": "soon"}, {}, "the variable SIGNER_TIMEOUT"),
        ({"timeout": "soon"}, {"timeout": ShellText("later")}, "--set"),
        ({}, {}, r"x.toml \[signer\]"),
    ],
)
def test_option_that_is_not_right_is_blamed_on_where_it_stands(
    environment: dict[str, str], arguments: dict[str, object], place: str
) -> None:
    with pytest.raises(ConfigError, match=f"option 'timeout' in {place} is not right"):
        settings({"backend": "noop", "timeout": "never"}, environment, arguments=arguments).core_options()


def test_trusted_that_is_empty_is_refused() -> None:
    with pytest.raises(ConfigError, match="option 'trusted'"):
        core(trusted="")


def test_environment_without_protected_variables_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    settings({"backend": "noop"}, {"timeout": "1s", "unknown": "x"}).warn_of_powerless_variables()
    assert caplog.records == []


def test_environment_that_no_option_takes_is_ignored() -> None:
    found = settings(
        {"backend": "noop", "text": "t"}, {"number": "7", "colour": "red", "timeout": "1s", "verify": "true"}
    )
    assert found.backend_config(EveryOption).number == 7
    assert found.effective_variables(EveryOption) == {"number": "SIGNER_NUMBER", "timeout": "SIGNER_TIMEOUT"}


def test_environment_does_not_count_where_an_argument_does() -> None:
    found = settings({"text": "t"}, {"backend": "noop", "number": "7"}, arguments={"number": 8})
    assert found.backend_config(EveryOption).number == 8
    assert found.effective_variables(EveryOption) == {"backend": "SIGNER_BACKEND"}


def test_environment_is_toml_or_else_text() -> None:
    environment = {
        "text": "alias/x",
        "number": "7",
        "flag": "true",
        "names": '["a"]',
        "labels": '{a = "b"}',
        "mode": "safe",
        "place": "keys",
        "token": "env:TOKEN",
    }
    config = settings({"backend": "noop"}, environment).backend_config(EveryOption)
    assert (config.text, config.number, config.flag, config.names) == ("alias/x", 7, True, ("a",))
    assert (config.labels, config.mode, config.place) == ({"a": "b"}, Mode.SAFE, Path("/here/keys"))
    assert repr(config.token) == "Secret('env:TOKEN')"


def test_environment_with_a_converter() -> None:
    config_class = _converts(shown=True, converter=seconds, annotation=float)
    for text, duration in (("10", 10.0), ("1m", 60.0), ('"1m"', 60.0)):
        assert settings({"backend": "noop"}, {"option": text}).backend_config(config_class).option == duration


def test_prompt_is_asked_for_secrets() -> None:
    found = settings({"backend": "noop", "text": "prompt", "token": "prompt"}, prompt=str.encode)
    token = found.backend_config(EveryOption).token
    assert token is not None
    assert token.reveal() == b"token"


def test_repr_holds_no_values() -> None:
    found = settings({"pin": "hunter2"}, {"pin": "hunter2"}, arguments={"pin": "hunter2"})
    assert "hunter2" not in repr(found)


def test_reopening_gives_the_same_configuration_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = ["a"]
    found = settings(
        {"backend": "noop", "text": "t", "names": names, "token": "file:token", "timeout": "1m"},
        {"number": "7", "level": "2", "verify": "true"},
        arguments={"labels": {"a": "b"}},
    )
    config = found.backend_config(EveryOption)
    mapping = pickle.loads(pickle.dumps(found.reopening(config)))
    names.append("b")
    monkeypatch.chdir(tmp_path)

    again = read(mapping)

    assert again.core_options() == CoreOptions(timeout=60.0)
    reopened = again.backend_config(EveryOption)
    assert attrs.evolve(reopened, token=None) == attrs.evolve(config, token=None)
    assert repr(reopened.token) == "Secret('file:/here/token')"
    assert reopened.place == Path("/here/default-place")


def test_reopening_keeps_no_list_that_the_caller_may_change() -> None:
    names = ["a"]
    found = settings({"backend": "noop", "text": "t", "names": names})
    mapping = found.reopening(found.backend_config(EveryOption))
    names.append("b")
    assert mapping["names"] == ("a",)


@given(tables, st.dictionaries(st.sampled_from(("timeout", "text", "place", "level", "names")), st.text(max_size=9)))
def test_any_table_and_environment_is_a_configuration_or_a_configuration_error(
    table: dict[Any, Any], environment: dict[str, str]
) -> None:
    found = settings({str(name): value for name, value in table.items()}, environment)
    try:
        core_options = found.core_options()
        config = found.backend_config(EveryOption)
    except ConfigError:
        return
    assert isinstance(core_options, CoreOptions)
    assert isinstance(config, EveryOption)


@given(values)
def test_any_value_of_a_hidden_option_stays_hidden(value: object) -> None:
    config_class = _converts(shown=False, converter=_repeats)
    with pytest.raises(SignerError) as caught:
        built(config_class, option=value)
    assert str(caught.value) in {
        "option 'option' in x.toml [signer] is not right; it is an option",
        "option 'option' in x.toml [signer] is empty; it is an option",
    }


def test_enum_members_are_given_in_code() -> None:
    class Colour(enum.Enum):
        RED = "red"

    config_class = attrs.make_class("Config", {"option": attrs.field(type=Colour)}, frozen=True)
    assert built(config_class, option=Colour.RED).option is Colour.RED
