"""``signer init``: a key, and the configuration that opens it."""

import errno
import os
import re
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import create_signer
from signer_core.cli.command_line import CommandLine
from signer_core.cli.output import create_file
from signer_core.cli.template import template
from signer_core.config import read
from signer_core.core_options import CORE_OPTIONS
from signer_core.options import ShellText
from signer_file.config import FileConfig
from tests.cli.conftest import PROGRAM, SEED, Signer, unmeasured, with_full_disk
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("quick_passphrases")

NEW_FILE = ("--backend", "file", "--set", "path=keys", "--set", "passphrase=env:WORD", "init")


@pytest.fixture(autouse=True)
def word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "open sesame")


def test_it_makes_a_key_and_a_configuration_and_prints_the_address(signer: Signer, folder: Path) -> None:
    result = signer(*NEW_FILE)
    assert result.exit_code == 0
    assert result.stderr == f"wrote {folder / 'signer.toml'}\n"
    with create_signer("signer.toml") as made:
        assert result.stdout == f"{made.address.hex()}\n"


def test_a_second_time_nothing_changes(signer: Signer) -> None:
    first = signer(*NEW_FILE)
    before = Path("signer.toml").read_bytes(), Path("keys/signer.json").read_bytes()
    for again in (signer(*NEW_FILE), signer("init")):
        assert (again.exit_code, again.stdout, again.stderr) == (0, first.stdout, "")
    assert (Path("signer.toml").read_bytes(), Path("keys/signer.json").read_bytes()) == before


def test_with_a_configuration_it_makes_the_key(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "file"\npath = "keys"\npassphrase = "env:WORD"\n')
    assert signer("init").exit_code == 0
    assert Path("keys/signer.json").is_file()


@pytest.mark.parametrize("umask", [0, 0o777, 0o277])
def test_the_configuration_is_for_nobody_but_its_owner(umask: int, signer: Signer) -> None:
    before = os.umask(umask)
    try:
        signer(*NEW_FILE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("signer.toml").st_mode) == 0o600


def test_the_configuration_has_what_was_given_and_a_comment_for_each_other_option(signer: Signer) -> None:
    signer("--backend", "noop", "--set", f"seed={SEED}", "--set", "timeout=2.5", "init")
    text = Path("signer.toml").read_text()
    assert tomllib.loads(text) == {"signer": {"backend": "noop", "seed": SEED, "timeout": 2.5}}
    assert "# max_retries: attempts after the first, where another may help\n# max_retries = 0\n" in text
    assert "# timeout" not in text


def uncommented(text: str) -> dict[str, Any]:
    """The table of a configuration in which all options are set that it has in comments."""
    lines = [line.removeprefix("# ") if re.match(r"# \w+ =", line) else line for line in text.splitlines()]
    table: dict[str, Any] = tomllib.loads("\n".join(lines))["signer"]
    return table


def test_the_comments_are_options_that_can_be_set(signer: Signer) -> None:
    signer("--backend", "file", "--set", "path=keys", "--set", "passphrase=env:WORD", "init")
    table = uncommented(Path("signer.toml").read_text())
    assert table.keys() == (
        CORE_OPTIONS | {"path", "passphrase", "format", "algorithm", "rsa_bits", "allow_unencrypted"}
    ) - {"extensions"}
    assert (table["allow_unencrypted"], table["format"], table["timeout"]) == (False, "evnode", "10s")
    found = read(table)
    assert found.core_options().trusted == "signer-file"
    found.backend_config(FileConfig)


def test_a_comment_says_what_leaving_out_an_option_means(signer: Signer) -> None:
    signer(*NEW_FILE)
    lines = Path("signer.toml").read_text().splitlines()
    assert "# timeout: the whole time of a call, retries included, such as 10s; left out: no limit" in lines
    assert lines[lines.index('# format = "evnode"') - 1].endswith("; left out: not set")


def test_defaults_of_every_type_are_written_in_toml(signer: Signer, install: Install) -> None:
    install(
        source="""
        import enum
        from pathlib import Path
        from signer_core.options import budget
        class Mode(enum.Enum):
            FAST = "fast"
        @attrs.frozen(kw_only=True)
        class Options:
            mode: Mode = Mode.FAST
            size: int = 3
            pace: float = 1.5
            path: Path = Path("keys")
            tags: tuple[str, ...] = ("a", "b")
            pairs: dict[str, str] = attrs.Factory(dict)
            names: dict[str, str] = attrs.Factory(lambda: {"a": "b"})
            text: str | None = None
            file: Path | None = None
            secret: Secret | None = None
            flag: bool | None = None
            number: int | None = None
            wait: float | None = None
            pause: float | None = attrs.field(default=None, converter=budget)
            some: tuple[str, ...] | None = None
            more: dict[str, str] | None = None
        @hookimpl
        def signer_backend():
            return Backend(contract=1, config_class=Options, remote=True, default_timeout=10.0)
        @hookimpl
        def signer_open(config):
            return Ed25519Key()
        """
    )
    assert signer("--backend", "throwaway", "init").exit_code == 0
    lines = Path("signer.toml").read_text().splitlines()
    for expected in (
        '# mode = "fast"',
        "# size = 3",
        "# pace = 1.5",
        '# path = "keys"',
        '# tags = ["a", "b"]',
        "# pairs = {}",
        '# names = {"a" = "b"}',
        '# text = "..."',
        '# file = "PATH"',
        '# secret = "file:PATH"',
        "# flag = true",
        "# number = 1",
        "# wait = 1.0",
        '# pause = "10s"',
        '# some = ["..."]',
        '# more = {"name" = "..."}',
        "# timeout = 10.0",
        "# verify = true",
    ):
        assert expected in lines


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(bool))
def test_any_text_is_read_again_as_it_was_given(text: str) -> None:
    line = CommandLine(signer=text, backend="file", options={"path": text, "timeout": "1m30s", "max_retries": "2"})
    settings = line.settings_without_file()
    table = tomllib.loads(template(settings))["signers"][text]
    assert table == {"backend": "file", "path": ShellText(text).as_text(), "timeout": "1m30s", "max_retries": 2}


def test_a_path_that_is_no_text_cannot_be_written(signer: Signer) -> None:
    result = signer("--backend", "file", "--set", "path=\udcff", "--set", "passphrase=env:WORD", "init")
    assert result.exit_code == 1
    assert "cannot be written into a file in UTF-8" in result.stderr
    assert os.listdir() == []


def test_the_signer_gets_the_name_that_was_given(signer: Signer) -> None:
    first = signer("-s", "block producer", "--backend", "noop", "--set", f"seed={SEED}", "init")
    assert signer("-s", "block producer", "show", "--format", "address").stdout == first.stdout


def test_it_is_written_where_config_says(signer: Signer, folder: Path) -> None:
    os.mkdir("etc")
    first = signer("--config", "etc/mine.toml", *NEW_FILE)
    assert first.exit_code == 0
    assert Path("etc/keys/signer.json").is_file()  # paths start beside the file
    assert signer("--config", "etc/mine.toml", "show", "--format", "address").stdout == first.stdout


def test_it_is_written_where_the_variable_says(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNER_CONFIG", "mine.toml")
    assert signer(*NEW_FILE).exit_code == 0
    assert Path("mine.toml").is_file()


def test_what_is_wrong_is_found_before_anything_is_made(signer: Signer) -> None:
    for wrong in ("path=", "formt=pkcs8", "format=pem", "passphrase=secret", "timeout=soon"):
        result = signer("--backend", "file", "--set", "path=keys", "--set", wrong, "init")
        assert result.exit_code == 1
        assert os.listdir() == []


def test_a_key_that_cannot_be_made_leaves_no_configuration(signer: Signer) -> None:
    result = signer("--backend", "file", "--set", "path=keys", "--set", "passphrase=env:UNSET", "init")
    assert result.exit_code == 1
    assert not os.path.exists("signer.toml")


def test_without_a_directory_nothing_is_made(signer: Signer, folder: Path) -> None:
    result = signer("--config", "etc/mine.toml", *NEW_FILE)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {folder}/etc/mine.toml cannot be written: there is no directory")
    assert os.listdir() == []


def test_yaml_is_not_written(signer: Signer) -> None:
    result = signer("--config", "mine.yaml", *NEW_FILE)
    assert result.exit_code == 1
    assert "init writes TOML" in result.stderr
    assert os.listdir() == []


def test_a_configuration_for_another_backend_is_left_alone(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "noop"\n')
    result = signer(*NEW_FILE)
    assert result.exit_code == 1
    assert "names the backend 'noop', not 'file'" in result.stderr
    assert Path("signer.toml").read_text() == '[signer]\nbackend = "noop"\n'


@pytest.mark.parametrize("backend", [("--backend", "file"), ()])
@pytest.mark.parametrize(("option", "value"), [("path", "other"), ("format", "pkcs8")])
def test_options_that_the_configuration_does_not_have_make_no_second_key(
    option: str, value: str, backend: tuple[str, ...], signer: Signer, folder: Path
) -> None:
    signer(*NEW_FILE)
    result = signer(*backend, "--set", f"{option}={value}", "init")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"error: {folder / 'signer.toml'} [signer] is there already, and its option {option!r} is not what --set says",
        f"remedy: leave out --set {option}, change the file, or give another one by --config",
    ]
    assert sorted(os.listdir()) == ["keys", "signer.toml"]


def test_an_option_that_the_configuration_lacks_makes_no_key(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "file"\npassphrase = "env:WORD"\n')
    result = signer("--set", "path=keys", "init")
    assert result.exit_code == 1
    assert "its option 'path' is not what --set says" in result.stderr
    assert os.listdir() == ["signer.toml"]


def test_what_chooses_no_key_may_be_another_for_this_once(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "file"\npath = "keys"\npassphrase = "file:mounted-later"\n')
    absolute = f"path={os.path.abspath('keys')}"
    result = signer("--set", "passphrase=env:WORD", "--set", "timeout=1m", "--set", absolute, "init")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.slow  # tests/plugins/file/test_store.py has the race for the key itself in the quick runs
def test_several_at_once_with_different_options_end_with_the_configured_key_or_an_error(folder: Path) -> None:
    commands = [("--backend", "file", "--set", f"path={each}", *NEW_FILE[4:]) for each in "abc"]
    processes = [subprocess.Popen([PROGRAM, *each], stdout=-1, stderr=-1, env=unmeasured()) for each in commands]
    ended = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert sorted(status for _, status in ended) == [0, 1, 1]
    with create_signer("signer.toml") as made:
        assert b"".join(output for (output, _), _ in ended) == made.address.hex().encode() + b"\n"
    for (_, errors), status in ended:
        assert (b"its option 'path' is not what --set says" in errors) == (status == 1)


def test_one_that_loses_the_race_names_the_key_that_it_made(
    signer: Signer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(path: str, content: bytes) -> bool:
        Path(path).write_text('[signer]\nbackend = "file"\npath = "first"\npassphrase = "env:WORD"\n')
        os.chmod(path, 0o600)
        return create_file(path, content)

    monkeypatch.setattr("signer_core.cli.init.create_file", too_late)
    result = signer(*NEW_FILE)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"the key {folder}/keys/signer.json was opened or made before that was seen" in result.stderr


def test_a_configuration_that_appears_meanwhile_counts(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late(path: str, content: bytes) -> bool:
        os.umask(0o022)
        Path(path).write_text(f'[signer]\nbackend = "noop"\nseed = "{SEED}"\n')
        return create_file(path, content)

    monkeypatch.setattr("signer_core.cli.init.create_file", too_late)
    result = signer("--backend", "noop", "init")
    assert result.exit_code == 0
    assert result.stdout == signer("show", "--format", "address").stdout
    assert os.listdir() == ["signer.toml"]


@pytest.mark.slow
def test_several_at_once_agree(folder: Path) -> None:
    processes = [subprocess.Popen([PROGRAM, *NEW_FILE], stdout=-1, stderr=-1, env=unmeasured()) for _ in range(4)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert [status for _, status in ended] == [0] * 4
    addresses = {output for (output, _), _ in ended}
    with create_signer("signer.toml") as made:
        assert addresses == {made.address.hex().encode() + b"\n"}
    assert sum(b"wrote" in errors for (_, errors), _ in ended) == 1
    assert sorted(os.listdir()) == ["keys", "signer.toml"]


def test_a_full_disk_leaves_no_half_configuration(folder: Path) -> None:
    done = with_full_disk("--backend", "noop", "init")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {folder}/signer.toml cannot be written: File too large".encode()
    assert os.listdir() == []


def test_a_file_system_without_links(signer: Signer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: str, target: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", source)

    monkeypatch.setattr(os, "link", link)
    result = signer("--backend", "noop", "init")
    assert result.exit_code == 1
    error = f"error: {folder / 'signer.toml'} cannot be written: Operation not permitted"
    assert result.stderr.splitlines()[-1] == error
    assert os.listdir() == []


def test_a_pinned_key_is_not_made(signer: Signer) -> None:
    result = signer("--set", f"expected_address={'00' * 32}", *NEW_FILE)
    assert result.exit_code == 1
    assert "a pinned key is never made" in result.stderr
    assert not os.path.exists("signer.toml")
