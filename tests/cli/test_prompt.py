"""Secrets that the user is asked for."""

import getpass
import os
import pty
import select
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from signer_core import create_signer
from signer_core.cli import main
from tests.cli.conftest import PROGRAM, Signer, unmeasured
from tests.conftest import Install
from tests.keys import PATIENCE

pytestmark = pytest.mark.usefixtures("quick_passphrases")

FILE = ("--backend", "file", "--set", "path=keys", "--set", "passphrase=prompt")


def test_init_asks_twice_and_the_others_once(signer: Signer) -> None:
    made = signer(*FILE, "init", input="open sesame\nopen sesame\n")
    assert made.exit_code == 0
    opened = signer(*FILE, "show", "--format", "address", input="open sesame\n")
    assert opened.stdout.splitlines()[-1] == made.stdout.splitlines()[-1]
    assert (made.output.count("passphrase:"), opened.output.count("passphrase:")) == (1, 1)
    assert (made.output.count("Repeat"), opened.output.count("Repeat")) == (1, 0)


def test_init_asks_once_where_the_key_is_there_already(signer: Signer) -> None:
    made = signer(*FILE, "init", input="open sesame\nopen sesame\n")
    again = signer(*FILE, "init", input="open sesame\n")
    assert again.stdout.splitlines()[-1] == made.stdout.splitlines()[-1]
    assert (again.output.count("passphrase:"), again.output.count("Repeat")) == (1, 0)


def test_a_typing_error_at_init_is_asked_for_again(signer: Signer) -> None:
    made = signer(*FILE, "init", input="open sesame\nopen seasme\n" + "open sesame\n" * 2)
    assert made.exit_code == 0
    assert "these were not the same; passphrase:" in made.stderr


def test_what_is_typed_is_the_passphrase(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    signer(*FILE, "init", input="Sésame ouvre-toi\n" * 2)
    monkeypatch.setenv("WORD", "Sésame ouvre-toi")
    create_signer({"backend": "file", "path": "keys", "passphrase": "env:WORD"}).close()


def test_it_is_asked_by_the_name_of_the_option_in_the_file(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "file"\npath = "keys"\npassphrase = "prompt"\n')
    assert "passphrase:" in signer("init", input="word\nword\n").output


def test_each_secret_is_asked_for_by_its_own_name(signer: Signer, install: Install) -> None:
    install(
        source="""
        @attrs.frozen(kw_only=True)
        class Options:
            label: str
            token: Secret
            passphrase: Secret
        @hookimpl
        def signer_backend():
            return Backend(contract=1, config_class=Options)
        @hookimpl
        def signer_open(config):
            assert (config.label, config.passphrase.reveal(), config.token.reveal()) == ("prompt", b"first", b"second")
            return Ed25519Key()
        """
    )
    options = [word for name in ("label", "token", "passphrase") for word in ("--set", f"{name}=prompt")]
    result = signer("--backend", "throwaway", *options, "show", input="first\nsecond\n")
    assert result.exit_code == 0
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["passphrase", "token"]


def test_the_same_keys_are_the_same_bytes_wherever_they_are_asked_for(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that ``env:`` has when the shell is given them: text in the locale's encoding, and what is none."""
    by_variable = ("--backend", "file", "--set", "path=keys", "--set", "passphrase=env:WORD")
    monkeypatch.setenv("WORD", "first")
    assert signer(*by_variable, "init").exit_code == 0
    Path("signer.toml").unlink()
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: "S\u00e9same\udcff")
    for command in ([*by_variable, "file", "passwd"], [*FILE, "show"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert not ended.value.code
    monkeypatch.setenv("WORD", "S\u00e9same\udcff")
    assert signer(*by_variable, "show").exit_code == 0


def interrupted(prompt: str) -> str:
    raise KeyboardInterrupt


def at_its_end(prompt: str) -> str:
    raise EOFError


def without_terminal(prompt: str) -> str:
    warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
    return "read from the standard input"


def test_ctrl_c_instead_of_an_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", interrupted)
    with pytest.raises(SystemExit) as ended:
        main([*FILE, "init"])
    assert ended.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == "error: interrupted"


@pytest.mark.parametrize("terminal", [at_its_end, without_terminal])
def test_no_answer(
    terminal: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", terminal)
    with pytest.raises(SystemExit) as ended:
        main([*FILE, "init"])
    assert ended.value.code == 1
    error, remedy = capsys.readouterr().err.splitlines()[-2:]
    assert error.endswith("error: nobody answered the question for the passphrase")
    assert remedy == 'remedy: where there is no terminal, use "file:PATH" or "env:NAME"'


def test_questions_come_to_the_terminal_wherever_the_output_goes() -> None:
    """Also what was wrong with an answer, which is no message of the program's."""
    steps = [
        ("passphrase: ", "open sesame"),
        ("Repeat for confirmation: ", "open seasme"),
        ("these were not the same; passphrase: ", "open sesame"),
        ("Repeat for confirmation: ", "open sesame"),
    ]
    controller, terminal = pty.openpty()
    # The shell makes the terminal that of its session, and leaves none of its own descriptors on it.
    script = ': <"$0"; exec "$@" </dev/null >output 2>errors'
    command: list[str | Path] = ["/bin/sh", "-c", script, os.ttyname(terminal), PROGRAM, *FILE, "init"]
    with subprocess.Popen(command, start_new_session=True, env=unmeasured()) as running:
        try:
            shown = [shown_until(controller, question.encode(), answer) for question, answer in steps]
            assert running.wait(PATIENCE) == 0
        finally:
            running.kill()
            os.close(terminal)
            os.close(controller)
    assert [each.removeprefix(b"\r\n") for each in shown] == [question.encode() for question, _ in steps]
    assert Path("errors").read_text() == f"wrote {Path('signer.toml').absolute()}\n"
    assert len(Path("output").read_text()) == 65


def shown_until(controller: int, question: bytes, answer: str) -> bytes:
    """What the terminal shows until it is the question, which is answered."""
    shown = b""
    while not shown.endswith(question):
        assert select.select([controller], [], [], PATIENCE)[0], shown
        shown += os.read(controller, 1024)
    os.write(controller, f"{answer}\n".encode())
    return shown


def test_a_program_without_a_terminal_does_not_take_the_message_for_the_passphrase() -> None:
    done = subprocess.run(
        [PROGRAM, *FILE, "init"], input=b"word\nword\n", capture_output=True, check=False, start_new_session=True
    )
    assert done.returncode == 1
    assert b"error: nobody answered the question for the passphrase\n" in done.stderr
