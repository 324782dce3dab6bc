"""Where the settings come from: --config, $SIGNER_CONFIG, ./signer.toml, --backend, --set."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, SEED, Signer, program

OTHER_SEED = "08" * 32


def write(path: Path | str, text: str, *, mode: int = 0o644) -> Path:
    path = Path(path)
    path.write_text(text)
    path.chmod(mode)
    return path


def noop_table(seed: str = SEED, *, heading: str = "signer") -> str:
    return f'[{heading}]\nbackend = "noop"\nseed = "{seed}"\n'


@pytest.fixture
def address(noop: Signer) -> str:
    """The address of the key of SEED."""
    return noop("show", "--format", "address").stdout


def test_the_file_here_is_the_default(signer: Signer, address: str) -> None:
    write("signer.toml", noop_table())
    assert signer("show", "--format", "address").stdout == address


def test_the_variable_names_another_file(signer: Signer, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write("signer.toml", noop_table(OTHER_SEED))
    write("other.toml", noop_table())
    monkeypatch.setenv("SIGNER_CONFIG", "other.toml")
    assert signer("show", "--format", "address").stdout == address


def test_an_empty_variable_names_none(signer: Signer, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write("signer.toml", noop_table())
    monkeypatch.setenv("SIGNER_CONFIG", "")
    assert signer("show", "--format", "address").stdout == address


def test_config_comes_before_the_variable(signer: Signer, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write("other.toml", noop_table(OTHER_SEED))
    write("mine.toml", noop_table())
    monkeypatch.setenv("SIGNER_CONFIG", "other.toml")
    assert signer("-c", "mine.toml", "show", "--format", "address").stdout == address


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_file_that_was_named_must_be_there(
    by_variable: bool, signer: Signer, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    if by_variable:
        monkeypatch.setenv("SIGNER_CONFIG", "gone.toml")
    result = signer(*([] if by_variable else ["--config", "gone.toml"]), "--backend", "noop", "show")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == f"error: there is no configuration file {folder / 'gone.toml'}"


def test_no_configuration_at_all(signer: Signer) -> None:
    result = signer("show")
    assert result.exit_code == 1
    error, remedy = result.stderr.splitlines()
    assert error == "error: there is no configuration: no signer.toml here, and no --backend"
    assert "signer --backend file" in remedy


def test_a_signer_out_of_many(signer: Signer, address: str) -> None:
    write("signer.toml", noop_table(OTHER_SEED, heading="signers.other") + noop_table(heading="signers.mine"))
    assert signer("-s", "mine", "show", "--format", "address").stdout == address


def test_the_backend_of_the_file_may_be_repeated(signer: Signer, address: str) -> None:
    write("signer.toml", noop_table())
    assert signer("--backend", "noop", "show", "--format", "address").stdout == address


def test_another_backend_than_the_files_is_refused(signer: Signer, folder: Path) -> None:
    write("signer.toml", noop_table())
    result = signer("--backend", "file", "show")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: {folder / 'signer.toml'} [signer] names the backend 'noop', not 'file'",
        "remedy: leave out --backend, or give another file by --config",
    ]


def test_a_file_without_a_backend_takes_it_from_the_option(signer: Signer, address: str) -> None:
    write("signer.toml", f'[signer]\nseed = "{SEED}"\n')
    assert signer("--backend", "noop", "show", "--format", "address").stdout == address


def test_set_wins_over_the_environment_and_the_file(
    signer: Signer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("signer.toml", noop_table(OTHER_SEED))
    monkeypatch.setenv("SIGNER_SEED", "09" * 32)
    assert signer("--set", f"seed={SEED}", "show", "--format", "address").stdout == address


def test_the_last_value_of_an_option_counts(signer: Signer, address: str) -> None:
    result = signer("--backend", "noop", "--set", "seed=x", "--set", f"seed={SEED}", "show", "--format", "address")
    assert result.stdout == address


@pytest.mark.parametrize("value", ["seed", "=x", ""])
def test_set_without_an_option_or_a_value_is_wrong_usage(value: str, signer: Signer) -> None:
    result = signer("--backend", "noop", "--set", value, "show")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0].endswith(f"write OPTION=VALUE, not {value!r}")


def test_the_backend_is_not_set_as_an_option(signer: Signer) -> None:
    result = signer("--set", "backend=noop", "show")
    assert result.exit_code == 1
    assert result.stderr == "error: the backend is not set as an option\nremedy: use --backend NAME\n"


def test_an_unknown_option(signer: Signer) -> None:
    result = signer("--backend", "noop", "--set", "sead=x", "show")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: backend 'noop' has no option 'sead' (the command line)",
        "remedy: did you mean 'seed'?",
    ]


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(signer: Signer) -> None:
    result = signer("--backend", "file", "--set", "path=keys", "--set", "passphrase=hunter2", "show")
    assert result.exit_code == 1
    assert "'passphrase'" in result.stderr
    assert "hunter2" not in result.output


def test_paths_start_in_the_working_directory_where_there_is_no_file(signer: Signer, folder: Path) -> None:
    result = signer("--backend", "file", "--set", "path=keys", "show")
    assert str(folder / "keys") in result.stderr


@pytest.mark.parametrize("by_variable", [True, False])
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o622])
def test_a_default_file_that_others_may_write_is_refused(
    mode: int, by_variable: bool, signer: Signer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("other.toml" if by_variable else "signer.toml", noop_table(), mode=mode)
    if by_variable:
        monkeypatch.setenv("SIGNER_CONFIG", str(path))
    result = signer("show")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: the default configuration {folder / path} can be written by other users",
        f"remedy: look at it, then `chmod go-w {path}`",
    ]


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_pipe_as_the_default_file_is_refused_and_not_waited_for(
    by_variable: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("pipe" if by_variable else "signer.toml")
    os.mkfifo(path, 0o600)
    if by_variable:
        monkeypatch.setenv("SIGNER_CONFIG", str(path))
    result = program("show")
    assert result.returncode == 1
    assert result.stderr.decode().splitlines() == [
        f"error: the default configuration {folder / path} is no regular file",
        f"remedy: if it is meant, name it: --config {path}",
    ]


def test_a_pipe_that_was_named_is_read(address: str) -> None:
    command = ["/bin/sh", "-c", f"cat | {PROGRAM} --config /dev/stdin show --format address"]
    done = subprocess.run(command, input=noop_table().encode(), capture_output=True, check=False)
    assert done.stdout.decode() == address


def test_a_file_named_here_and_now_is_believed(signer: Signer, address: str) -> None:
    write("signer.toml", noop_table(), mode=0o666)
    assert signer("--config", "signer.toml", "show", "--format", "address").stdout == address


def test_a_default_file_of_another_user_is_refused(
    signer: Signer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("signer.toml", noop_table())
    owner = os.stat("signer.toml").st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    if owner == 0:  # root's files are as good as one's own
        os.chown("signer.toml", 12345, -1)
    result = signer("show")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: the default configuration {folder / 'signer.toml'} belongs to another user",
        "remedy: look at it, and if it is right name it: --config signer.toml",
    ]


def test_a_link_of_another_user_is_refused_whatever_it_leads_to(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.symlink(write("real.toml", noop_table()), "signer.toml")
    link = os.lstat("signer.toml")
    foreign = os.stat_result((*link[:4], link.st_uid + 1, *link[5:10]))
    monkeypatch.setattr(os, "lstat", lambda _: foreign)
    assert "belongs to another user" in signer("show").stderr


def test_ones_own_link_is_followed(signer: Signer, address: str) -> None:
    os.symlink(write("real.toml", noop_table()), "signer.toml")
    assert signer("show", "--format", "address").stdout == address


def test_a_link_to_a_file_that_others_may_write_is_refused(signer: Signer) -> None:
    os.symlink(write("real.toml", noop_table(), mode=0o666), "signer.toml")
    assert "can be written by other users" in signer("show").stderr


def test_a_link_that_leads_nowhere_is_not_as_good_as_no_file(signer: Signer) -> None:
    os.symlink("gone.toml", "signer.toml")
    assert "there is no configuration file" in signer("--backend", "noop", "show").stderr


def test_without_users_there_is_nothing_to_compare(
    signer: Signer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("signer.toml", noop_table(), mode=0o666)
    monkeypatch.delattr(os, "getuid")
    assert signer("show", "--format", "address").stdout == address
