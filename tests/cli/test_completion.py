"""What the shell completes."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from signer_core.cli import main
from tests.cli.conftest import program, unmeasured
from tests.conftest import Install


def asked(*words: str) -> dict[str, str]:
    """The environment in which bash starts ``signer``, to be told what may stand for the last word."""
    return {
        "_SIGNER_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["signer", *words]),
        "COMP_CWORD": str(len(words)),
    }


def completed(*words: str) -> list[str]:
    """What bash would offer for the last word of ``signer …``."""
    result = CliRunner(env=asked(*words)).invoke(main, prog_name="signer")
    assert (result.exit_code, result.stderr) == (0, "")
    return offered(result.stdout)


def offered(lines: str) -> list[str]:
    return [line.partition(",")[2] for line in lines.splitlines() if line]


def test_the_script_for_the_shell() -> None:
    script = program(env={**unmeasured(), "_SIGNER_COMPLETE": "zsh_source"})
    assert script.returncode == 0
    assert b"_SIGNER_COMPLETE=zsh_complete signer" in script.stdout


def test_the_installed_program() -> None:
    done = program(env={**unmeasured(), **asked("s")})
    assert (done.returncode, done.stderr) == (0, b"")
    assert offered(done.stdout.decode()) == ["show", "sign"]


def test_subcommands() -> None:
    assert completed("s") == ["show", "sign"]


def test_backends_that_may_bring_commands_once_their_name_was_begun() -> None:
    assert completed("fi") == ["file"]
    assert "file" not in completed("")


def test_extensions_that_may_bring_commands(install: Install) -> None:
    install("signer-policy", "raise AssertionError", name="policy", group="signer_core.extensions")
    assert completed("pol") == ["policy"]
    assert "policy" not in completed("--backend", "")


def test_flags() -> None:
    assert completed("--s") == ["--signer", "--set"]
    assert completed("backends", "--l") == ["--load"]


def test_backends() -> None:
    assert completed("--backend", "") == ["awskms", "file", "noop"]


def test_formats() -> None:
    assert completed("show", "--format", "j") == ["json", "jwk"]


def test_signers_of_the_configuration() -> None:
    Path("my.toml").write_text("[signers.blocks]\n[signers.tokens]\n")
    assert completed("--config", "my.toml", "--signer", "b") == ["blocks"]


def test_no_signers_without_a_configuration() -> None:
    assert completed("--signer", "") == []


def test_no_signers_of_a_default_configuration_that_no_command_would_read() -> None:
    os.mkfifo("signer.toml", 0o600)
    assert completed("--signer", "") == []
    os.unlink("signer.toml")
    Path("signer.toml").write_text("[signers.blocks]\n")
    os.chmod("signer.toml", 0o666)
    assert completed("--signer", "") == []


def test_the_commands_of_a_backend() -> None:
    assert completed("file", "ex") == ["export"]
    assert completed("--config", "gone.toml", "file", "ex") == ["export"]


@pytest.mark.parametrize("words", [("frobnicate", ""), ("noop", "")])
def test_what_is_wrong_is_no_error_yet(words: tuple[str, ...]) -> None:
    assert "sign" in completed(*words)
