"""The command itself: its subcommands, its failures, its exit status."""

import errno
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from signer_core.cli import COMMANDS, main
from signer_core.cli.failures import report
from signer_core.errors import AccessDeniedError, ConfigError, SignError
from tests.cli.conftest import PROGRAM, Signer, program, unmeasured

HEAVY = ("asyncio", "json", "tomllib", "importlib_metadata", "getpass", "attrs", "cryptography", "logging")


def imported_by(*arguments: str) -> set[str]:
    """The modules that are loaded once ``signer …`` has ended."""
    script = (
        "import sys\n"
        "from signer_core.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    print('\\n' + ' '.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, check=True, env=unmeasured())
    return set(done.stdout.splitlines()[-1].decode().split())


def test_the_subcommands_are_those_of_the_table() -> None:
    assert main.list_commands(click.Context(main)) == list(COMMANDS)


def test_the_help_lists_every_subcommand_in_one_line(signer: Signer) -> None:
    help_text = signer("--help").stdout
    assert [
        line.split()[0] for line in help_text.splitlines() if line.startswith("  ") and line.split()[0] in COMMANDS
    ] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_module_of_the_table_has_the_subcommand_of_its_name(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name


def test_the_help_imports_nothing_that_it_does_not_show() -> None:
    modules = imported_by("--help")
    assert not modules & {*HEAVY, *(f"signer_core.cli.{name}" for name in COMMANDS)}


def test_signing_imports_nothing_that_it_does_not_use() -> None:
    modules = imported_by("--backend", "noop", "sign", __file__)
    assert not modules & {"asyncio", "json", "tomllib", "yaml", "getpass", "signer_file", "signer_core.cli.show"}


def test_version(signer: Signer) -> None:
    assert signer("--version").stdout == f"signer, version {version('signer-core')}\n"


def test_no_subcommand_shows_the_help_and_is_wrong_usage(signer: Signer) -> None:
    result = signer()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: signer ")


def test_an_unknown_command(signer: Signer) -> None:
    result = signer("frobnicate")
    assert result.exit_code == 2
    assert result.stderr == "error: No such command 'frobnicate'.\nremedy: see `signer --help`\n"


def test_a_command_of_a_plugin_that_is_not_installed_says_what_to_install(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [place for place in sys.path if "site-packages" not in place])
    assert signer("file", "export").stderr == (
        "error: no backend 'file' is installed (installed: none)\nremedy: pip install signer-file\n"
    )
    result = signer("audit", "verify", "audit.jsonl")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: no extension 'audit' is installed (installed: none)\nremedy: pip install signer-audit\n"
    )


def test_an_unknown_flag(signer: Signer) -> None:
    result = signer("show", "--frobnicate")
    assert result.exit_code == 2
    error, remedy = result.stderr.splitlines()
    assert error.startswith("error: No such option")
    assert "--frobnicate" in error
    assert remedy == "remedy: see `signer show --help`"


def test_an_unknown_backend_lists_the_installed_ones(signer: Signer) -> None:
    result = signer("--backend", "vault", "show")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: no backend 'vault' is installed (installed: awskms, file, noop)\nremedy: pip install signer-vault\n"
    )


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``signer show`` fail with ``error``."""

    @click.command("show")
    def command() -> None:
        raise error

    monkeypatch.setattr("signer_core.cli.show.command", command)


def test_an_error_has_a_line_and_its_remedy_another(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ConfigError("a\nb \x1b[31m", remedy="do\nit"))
    result = signer("show")
    assert (result.exit_code, result.stderr) == (1, "error: a b \\x1b[31m\nremedy: do it\n")


def test_notes_are_part_of_the_line(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    error = SignError("no")
    error.add_note("gave up after 3 attempts")
    failing(monkeypatch, error)
    assert signer("show").stderr == "error: no — gave up after 3 attempts\n"


def test_a_fault_of_the_program_says_so_without_a_traceback(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyError("x"))
    result = signer("show")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "error: unexpected KeyError: 'x'"
    assert "Traceback" not in result.stderr


def test_vv_adds_the_traceback(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ConfigError("no"))
    result = signer("-vv", "show")
    assert result.stderr.startswith("Traceback (most recent call last):\n")
    assert result.stderr.endswith("\nerror: no\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOENT, "No such file or directory", "x"), "x: No such file or directory"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (click.ClickException("no"), "no"),
        (click.Abort(), "aborted"),
    ],
)
def test_other_errors_have_one_line_too(
    error: Exception, line: str, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, error)
    result = signer("show")
    assert (result.exit_code, result.stderr) == (1, f"error: {line}\n")


def test_an_interruption_has_the_status_of_shells(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    result = signer("show")
    assert (result.exit_code, result.stderr.strip()) == (130, "error: interrupted")


def test_an_interruption_at_the_very_end_is_one_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_permission_that_a_backend_lacks_is_its_own_error(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, AccessDeniedError("no", remedy="ask for it"))
    assert signer("show").stderr == "error: no\nremedy: ask for it\n"


def test_a_subcommand_chooses_its_own_status(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, click.exceptions.Exit(3))
    result = signer("-vv", "show")
    assert (result.exit_code, result.stderr) == (3, "")


def test_in_a_program_errors_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ConfigError("no"))
    with pytest.raises(ConfigError):
        main(["show"], standalone_mode=False)


def test_in_a_program_the_status_is_returned() -> None:
    assert main(["--version"], standalone_mode=False) == 0


def test_warnings_of_the_libraries_are_lines_on_stderr(noop: Signer) -> None:
    assert noop("show").stderr.startswith("warning: the backend noop protects nothing")


def test_information_is_shown_on_demand(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    @click.command("show")
    def command() -> None:
        logging.getLogger("signer_core").info("going on")

    monkeypatch.setattr("signer_core.cli.show.command", command)
    assert signer("show").stderr == ""
    assert signer("-v", "show").stderr == "info: going on\n"


def test_the_libraries_are_left_as_they_were(noop: Signer) -> None:
    import logging

    before = logging.getLogger().handlers[:], logging.getLogger().level
    noop("-v", "show")
    assert (logging.getLogger().handlers, logging.getLogger().level) == before


def test_a_full_disk_at_the_standard_output() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "--backend", "noop", "show"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [b"error: the standard output cannot be written: No space left on device"]


def test_a_reader_that_went_away() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([PROGRAM, "--backend", "noop", "show"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [b"error: the standard output cannot be written: Broken pipe"]


def test_no_standard_output_at_all() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec '{PROGRAM}' --backend noop show >&-"], stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [b"error: the standard output cannot be written: it is closed"]


def test_ctrl_c_ends_it_without_a_traceback(folder: Path) -> None:
    os.mkfifo("message")
    process = subprocess.Popen([PROGRAM, "--backend", "noop", "sign", "message"], stderr=subprocess.PIPE)
    # Opening for writing waits until the program has opened it for reading, and so has begun.
    with open("message", "wb"):
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == b"error: interrupted"


def test_the_installed_program_signs(folder: Path) -> None:
    Path("message").write_bytes(b"block header")
    done = program("--backend", "noop", "sign", "message")
    assert (done.returncode, len(done.stdout)) == (0, 64)
