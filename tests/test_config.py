"""Where settings are read from: mappings, TOML and YAML files, the environment. What becomes of them: test_settings."""

import builtins
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signer_core import create_signer
from signer_core.config import read, read_all, signer_names
from signer_core.errors import ConfigError
from signer_noop import NoopConfig
from tests.keys import assert_hides, chain_of
from tests.strategies import EveryOption, tables

SEED = "11" * 32
OTHER_SEED = "22" * 32


@pytest.fixture(autouse=True)
def _environment(clean_environment: pytest.MonkeyPatch) -> None:
    pass


def toml(tmp_path: Path, text: str, name: str = "signer.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_mapping_is_the_table() -> None:
    found = read({"backend": "noop", "seed": SEED})
    assert found.table == {"backend": "noop", "seed": SEED}
    assert (found.source, found.directory, found.name) == ("the configuration", Path.cwd(), None)


def test_mapping_is_copied() -> None:
    given_table = {"backend": "noop"}
    found = read(given_table)
    given_table["backend"] = "other"
    assert found.backend == "noop"


def test_name_only_labels_a_mapping() -> None:
    assert read({"backend": "noop"}, name="anything").name == "anything"


def test_toml(tmp_path: Path) -> None:
    path = toml(tmp_path, f'[signer]\nbackend = "noop"\nseed = "{SEED}"')
    found = read(path)
    assert found.table == {"backend": "noop", "seed": SEED}
    assert (found.source, found.directory) == (f"{path} [signer]", tmp_path)


def test_path_may_be_a_text(tmp_path: Path) -> None:
    path = toml(tmp_path, '[signer]\nbackend = "noop"')
    assert read(str(path)).backend == "noop"


def test_relative_path_starts_at_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml(tmp_path, '[signer]\nbackend = "noop"')
    monkeypatch.chdir(tmp_path)
    assert read("signer.toml").directory == tmp_path


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_yaml(tmp_path: Path, suffix: str) -> None:
    path = toml(tmp_path, f"signer:\n  backend: noop\n  seed: '{SEED}'", f"signer.{suffix}")
    assert read(path).table == {"backend": "noop", "seed": SEED}


def test_yaml_may_share_options_between_tables(tmp_path: Path) -> None:
    text = "base: &base {backend: noop}\nsigners: {a: {<<: *base, seed: x}, b: {<<: [*base], seed: y}}"
    assert read(toml(tmp_path, text, "signer.yaml"), name="b").table == {"backend": "noop", "seed": "y"}


def test_yaml_without_pyyaml_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without_yaml(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "yaml":
            raise ModuleNotFoundError(name=name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(ConfigError, match=r"pip install 'signer-core\[yaml\]'"):
        read(toml(tmp_path, "signer: {backend: noop}", "signer.yaml"))


def test_name_picks_the_table_of_a_file(tmp_path: Path) -> None:
    path = toml(tmp_path, '[signer]\nbackend = "x"\n[signers.a]\nbackend = "noop"')
    found = read(path, name="a")
    assert (found.backend, found.name, found.source) == ("noop", "a", f"{path} [signers.a]")


def test_file_of_many_needs_a_name_and_lists_them(tmp_path: Path) -> None:
    path = toml(tmp_path, '[signers.b]\nbackend = "noop"\n[signers.a]\nbackend = "noop"')
    with pytest.raises(ConfigError, match=r"has several signers and no \[signer\]; give a name; its signers are: a, b"):
        read(path)


def test_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    path = toml(tmp_path, '[signers.b]\nbackend = "noop"\n[signers.a]\nbackend = "noop"')
    with pytest.raises(ConfigError, match=r"has no table \[signers.c\]; its signers are: a, b"):
        read(path, name="c")


def test_name_in_a_file_of_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no table \[signers.c\]"):
        read(toml(tmp_path, '[signer]\nbackend = "noop"'), name="c")


def test_names_of_a_file(tmp_path: Path) -> None:
    assert signer_names(toml(tmp_path, "[signers.b]\n[signers.a]")) == ["a", "b"]
    assert signer_names(toml(tmp_path, "[signer]")) == []


def test_all_signers_of_a_file_are_read_at_once(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SIGNER_KEY_ID", "mine")
    tables = '[signers.b]\nbackend = "two"\n[signers.a]\nbackend = "one"\n[signer]\nbackend = "three"'
    path = toml(tmp_path, tables)
    found = read_all(path)
    assert [(each.name, each.backend, each.source) for each in found] == [
        (None, "three", f"{path} [signer]"),
        ("a", "one", f"{path} [signers.a]"),
        ("b", "two", f"{path} [signers.b]"),
    ]
    assert [each.environment["key_id"] for each in found] == ["mine"] * 3
    assert {each.directory for each in found} == {tmp_path}


def test_of_a_file_without_a_signer_all_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no table \[signer\]"):
        read_all(toml(tmp_path, ""))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.toml", ""),
        ("x.toml", "backend = 'noop'"),
        ("x.toml", "signer = 'noop'"),
        ("x.toml", "signer = [1]"),
        ("x.toml", "signers = 'noop'"),
        ("x.yaml", ""),
        ("x.yaml", "noop"),
        ("x.yaml", "- signer"),
        ("x.yaml", "signer:"),
        ("x.yaml", "signer: noop"),
        ("x.yaml", "signer: {1: noop}"),
        ("x.yaml", "signer: {null: noop}"),
        ("x.yaml", "signers: {1: {backend: noop}}"),
    ],
)
def test_file_without_a_table_of_options(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read(toml(tmp_path, text, name))


@pytest.mark.parametrize("config", [5, None, ["noop"], b"signer.toml", "", "a\0b", "\ud800"])
def test_neither_mapping_nor_path(config: Any) -> None:
    with pytest.raises(ConfigError):
        read(config)


def test_path_like_that_is_no_text() -> None:
    class Raw:
        def __fspath__(self) -> bytes:
            return b"signer.toml"

    with pytest.raises(ConfigError, match="not Raw"):
        read(Raw())  # type: ignore[arg-type]


def test_mapping_whose_names_are_no_texts() -> None:
    with pytest.raises(ConfigError, match="has an option 1"):
        read({1: "noop"})  # type: ignore[dict-item]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no configuration file .*/absent.toml; write one"):
        read(tmp_path / "absent.toml")


def test_directory_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_device_without_end() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        read("/dev/zero")


def test_inspect_is_shown_the_file_that_was_opened(tmp_path: Path) -> None:
    path = toml(tmp_path, "[signer]")
    shown: list[os.stat_result] = []
    read(path, inspect=shown.append)
    assert [each.st_ino for each in shown] == [path.stat().st_ino]


def test_inspect_may_refuse(tmp_path: Path) -> None:
    def refuse(_: os.stat_result) -> None:
        raise ConfigError("not yours")

    with pytest.raises(ConfigError, match="not yours"):
        read(toml(tmp_path, "[signer]"), inspect=refuse)


HOSTILE_TOML = [
    "[",
    "x = " + "[" * 100_000,
    "x = " + "{a=" * 100_000,
    "x = " + "9" * 10_000,
    "\0",
    "[signer]\nhunter2 hunter2",
    "[signer]\npassphrase = hunter2",
    "[signer]\npassphrase = 'hunter2",
    "[signer]\npassphrase = 'hunter2'\npassphrase = 'hunter2'",
]

HOSTILE_YAML = [
    "[",
    "[" * 500,
    "{a: " * 500,
    "signer: !!python/object/apply:os.system ['true']",
    "signer: !hunter2 {}",
    "signer: !!int ''",
    "signer: !!bool hunter2",
    "signer: !!timestamp hunter2",
    "signer: !!float ''",
    "signer: {? {a: b} : c}",
    "signer: 2020-99-99",
    "\0",
    "signer: *hunter2",
    "passphrase: 'hunter2",
    "signer: {<<: hunter2}",
    "a: &a [" + ", ".join(["{x: y}"] * 9) + "]\n<<: 5",
]


@pytest.mark.parametrize("text", HOSTILE_TOML, ids=range(len(HOSTILE_TOML)))
def test_hostile_toml(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml") as caught:
        read(toml(tmp_path, text, "x.toml"))
    assert_hides("hunter2", caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", HOSTILE_YAML, ids=range(len(HOSTILE_YAML)))
def test_hostile_yaml(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.yaml") as caught:
        read(toml(tmp_path, text, "x.yaml"))
    assert_hides("hunter2", caught.value)
    assert len(str(caught.value)) < 300


def test_error_of_a_parser_says_where(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml is not valid TOML \(at line 2, column 3\)$"):
        read(toml(tmp_path, "[signer]\na hunter2", "x.toml"))
    with pytest.raises(ConfigError, match=r"x\.yaml is not valid YAML \(at line 2, column 6\)$"):
        read(toml(tmp_path, "signer:\n  'x'y", "x.yaml"))


def test_yaml_whose_aliases_multiply_is_read_without_copying(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 100)]
    text = "\n".join([*lines, "signer: {backend: noop, seed: *a99}"])
    with pytest.raises(ConfigError, match="'seed'"):
        create_signer(toml(tmp_path, text, "x.yaml"))


def test_yaml_whose_merges_multiply_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 {x: y, z: y}"] + [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 100)]
    with pytest.raises(ConfigError, match="is not valid YAML"):
        read(toml(tmp_path, "\n".join([*lines, "signer: *a99"]), "x.yaml"))


def test_yaml_that_contains_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'seed'"):
        create_signer(toml(tmp_path, "signer: &s {backend: noop, seed: *s}", "x.yaml"))


@pytest.mark.parametrize("name", ["x.toml", "x.yaml"])
def test_file_that_is_not_utf_8_does_not_reach_the_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"[signer]\npassphrase = 'hunter2\xff'")
    with pytest.raises(ConfigError, match="is not text in UTF-8") as caught:
        read(tmp_path / name)
    assert_hides("hunter2", caught.value)
    assert chain_of(caught.value) == [caught.value]


def test_file_of_a_mebibyte_and_a_byte_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is larger than 1048576 bytes"):
        read(toml(tmp_path, "#" * (1024 * 1024 + 1)))
    with pytest.raises(ConfigError, match=r"has no table \[signer\]"):
        read(toml(tmp_path, "#" * 1024 * 1024))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60), st.sampled_from(("x.toml", "x.yaml")))
def test_any_file_is_a_table_or_a_configuration_error(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError):
        read(tmp_path / name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text("signer[]{}:=\"'\n !&*<>#,.-0123456789abcdef", max_size=60), st.sampled_from(("x.toml", "x.yaml")))
def test_any_text_is_a_table_or_a_configuration_error(tmp_path: Path, text: str, name: str) -> None:
    try:
        read(toml(tmp_path, text, name))
    except ConfigError:
        pass


@given(tables)
def test_any_mapping_becomes_settings_of_every_type_or_a_configuration_error(table: dict[Any, Any]) -> None:
    try:
        config = read(table).backend_config(EveryOption)
    except ConfigError:
        return
    assert isinstance(config, EveryOption)


def test_environment_goes_before_the_table_of_a_file(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SIGNER_SEED", SEED)
    with create_signer(toml(tmp_path, f'[signer]\nbackend = "noop"\nseed = "{OTHER_SEED}"')) as signer:
        assert signer.public_key == create_signer({"backend": "noop", "seed": SEED}).public_key


def test_environment_goes_before_the_table_that_was_picked(
    tmp_path: Path, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("SIGNER_SEED", SEED)
    path = toml(tmp_path, f'[signers.a]\nbackend = "noop"\nseed = "{OTHER_SEED}"')
    with create_signer(path, name="a") as signer:
        assert signer.public_key == create_signer({"backend": "noop", "seed": SEED}).public_key


def test_environment_never_touches_a_mapping(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SIGNER_SEED", OTHER_SEED)
    clean_environment.setenv("SIGNER_BACKEND", "absent")
    found = read({"backend": "noop", "seed": SEED})
    assert found.environment == {}
    with pytest.raises(ConfigError, match="names no backend"):
        read({}).backend


def test_environment_names_the_backend_only_where_the_file_does_not(
    tmp_path: Path, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("SIGNER_BACKEND", "other")
    assert read(toml(tmp_path, "[signer]")).backend == "other"
    assert read(toml(tmp_path, '[signer]\nbackend = "noop"')).backend == "noop"


def test_environment_holds_options_in_upper_case_only(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    for variable in ("SIGNER_KEY_ID", "SIGNER_Seed", "signer_path", "SIGNERX", "SIGNER_CONFIG"):
        clean_environment.setenv(variable, "x")
    assert set(read(toml(tmp_path, "[signer]")).environment) == {"key_id"}


def test_arguments_go_before_everything(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SIGNER_SEED", "environment")
    found = read(
        toml(tmp_path, '[signer]\nbackend = "file"\nseed = "table"'), arguments={"backend": "noop", "seed": SEED}
    )
    assert found.backend == "noop"
    assert found.backend_config(NoopConfig).seed == SEED


@pytest.mark.parametrize("text", ["signer:\n  verify: true\n  verify: false\n", "signer: {a: 1, 'a': 2}", "a: 1\na: 2"])
def test_yaml_key_that_is_written_twice_is_refused_as_in_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signer.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"has the key '\w+' a second time \(at line \d\)"):
        read(path)


def test_yaml_key_that_overrides_a_merged_one_is_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "signer.yaml"
    path.write_text("base: &base {backend: noop, timeout: 1}\nsigner:\n  <<: *base\n  timeout: 2\n")
    assert read(path).table == {"backend": "noop", "timeout": 2}


def test_relative_path_without_a_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match=r"option 'path'.*; write an absolute path"):
        create_signer({"backend": "file", "path": "keys", "passphrase": "env:P"})
    with pytest.raises(ConfigError, match=r"option 'passphrase'.*; write an absolute path"):
        create_signer({"backend": "file", "path": "/keys", "passphrase": "file:p"})


def test_deleted_working_directory_does_not_matter_to_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = toml(tmp_path, '[signer]\nbackend = "noop"')
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert read(path).directory == tmp_path
    create_signer({"backend": "noop"}).close()
    with pytest.raises(ConfigError, match="there is no configuration file"):
        read("signer.toml")
