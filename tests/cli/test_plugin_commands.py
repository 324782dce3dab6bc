"""``signer NAME …``: the commands that a backend or an extension brings."""

from pathlib import Path

import pytest

from signer_core import create_signer
from tests.cli.conftest import SEED, Signer
from tests.conftest import WORKING, Install

COMMANDS = """
import click
from signer_core import *

@attrs.frozen(kw_only=True)
class Options:
    size: int = 1

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Options)

@hookimpl
def signer_open(config):
    return Ed25519Key()

@click.group()
def group():
    "What the vault does."

@group.command()
@click.pass_obj
def tell(line):
    click.echo(line.config().size)

@hookimpl
def signer_commands():
    return group
"""


@pytest.fixture
def vault(install: Install) -> None:
    install("signer-vault", COMMANDS, name="vault")


@pytest.mark.usefixtures("vault")
def test_they_have_their_own_help(signer: Signer) -> None:
    result = signer("vault", "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: signer vault ")
    assert "What the vault does." in result.stdout


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    "configuration", ["[signers.a]\nbackend = 'vault'\n", "what is this?", "[signer]\nbackend = 'vault'\ntimeout = 0\n"]
)
def test_help_does_not_depend_on_the_configuration(configuration: str, signer: Signer) -> None:
    Path("signer.toml").write_text(configuration)
    assert "What the vault does." in signer("vault", "--help").stdout
    assert signer("vault", "tell", "-h").exit_code == 0
    assert signer("vault", "tell").exit_code == 1


@pytest.mark.usefixtures("vault")
def test_help_does_not_depend_on_the_file_of_the_variable(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNER_CONFIG", "gone.toml")
    assert "What the vault does." in signer("vault", "--help").stdout


@pytest.mark.parametrize("more", ["", "timeout = 0"])
def test_for_help_too_a_distribution_that_is_not_trusted_is_not_imported(
    more: str, signer: Signer, install: Install
) -> None:
    install("signer-evil", "raise AssertionError", name="vault")
    Path("signer.toml").write_text(f'[signer]\nbackend = "vault"\ntrusted = "signer-vault"\n{more}\n')
    result = signer("vault", "--help")
    assert result.exit_code == 1
    assert "only signer-vault is trusted with it" in result.stderr


@pytest.mark.usefixtures("vault")
def test_they_find_the_configured_options(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "vault"\nsize = 3\n')
    assert signer("vault", "tell").stdout == "3\n"
    assert signer("--set", "size=4", "vault", "tell").stdout == "4\n"


@pytest.mark.usefixtures("vault")
def test_their_name_is_the_backend_where_nothing_else_is(signer: Signer) -> None:
    assert signer("--set", "size=2", "vault", "tell").stdout == "2\n"


@pytest.mark.usefixtures("vault")
def test_they_do_not_work_with_the_configuration_of_another_backend(signer: Signer, folder: Path) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "noop"\n')
    result = signer("vault", "tell")
    assert (result.exit_code, result.stdout) == (1, "")
    error, remedy = result.stderr.splitlines()
    assert error.startswith(f"error: {folder / 'signer.toml'} [signer] is for the backend 'noop', and the commands of")
    assert remedy == "remedy: give another file by --config"


@pytest.mark.usefixtures("vault")
def test_an_unknown_one_is_wrong_usage(signer: Signer) -> None:
    assert signer("vault", "frobnicate").exit_code == 2


def test_a_backend_without_commands_is_wrong_usage(signer: Signer) -> None:
    result = signer("noop", "tell")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0] == "error: the backend 'noop' has no commands of its own"


def test_other_backends_are_not_imported(signer: Signer, install: Install) -> None:
    install("signer-broken", "raise AssertionError", name="broken")
    assert signer("frobnicate").exit_code == 2
    install("signer-vault", COMMANDS, name="vault")
    assert signer("vault", "tell").exit_code == 0


def test_a_broken_backend_says_so(signer: Signer, install: Install) -> None:
    install("signer-broken", "raise ImportError('no libvault')", name="broken")
    result = signer("broken", "tell")
    assert result.exit_code == 1
    assert "ImportError: no libvault" in result.stderr


@pytest.mark.parametrize("body", ["return 1", "raise KeyError"])
def test_commands_that_break_the_contract(body: str, signer: Signer, install: Install) -> None:
    install("signer-broken", f"{WORKING}\n@hookimpl\ndef signer_commands():\n    {body}\n", name="broken")
    result = signer("broken", "tell")
    assert result.exit_code == 1
    assert "signer-broken 1.0, is broken: signer_commands" in result.stderr
    # where it raised something, its author wants to see that
    assert ("or tell its author; `signer -vv …` shows what it raised" in result.stderr) is (body == "raise KeyError")


def test_a_distribution_that_is_not_trusted_is_not_imported(signer: Signer, install: Install) -> None:
    install("signer-evil", "raise AssertionError", name="vault")
    Path("signer.toml").write_text('[signer]\nbackend = "vault"\ntrusted = "signer-vault"\n')
    result = signer("vault", "tell")
    assert result.exit_code == 1
    assert "only signer-vault is trusted with it" in result.stderr


ASKING = COMMANDS.replace(
    "click.echo(line.config().size)",
    """click.echo(line.secret("env:WORD", "word").reveal())
    for reference in (None, "prompt"):
        click.echo(line.secret(reference, "new word", confirm=True).reveal())""",
)


def test_a_command_takes_a_secret_as_options_do(
    signer: Signer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "given")
    install("signer-vault", ASKING, name="vault")
    result = signer("vault", "tell", input="one\none\ntwo\ntwo\n")
    assert result.stdout == "given\none\ntwo\n"
    assert result.stderr.count("new word:") == 2
    assert result.stderr.count("Repeat") == 2


def test_a_command_that_nobody_answers(signer: Signer, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "given")
    install("signer-vault", ASKING, name="vault")
    result = signer("vault", "tell")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2:] == [
        "error: nobody answered the question for the new word",
        'remedy: where there is no terminal, use "file:PATH" or "env:NAME"',
    ]


def test_what_a_command_returns_is_not_its_status(signer: Signer, install: Install) -> None:
    install("signer-vault", COMMANDS.replace("click.echo(line.config().size)", "return 7"), name="vault")
    assert signer("vault", "tell").exit_code == 0


def test_the_commands_of_the_file_backend(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "open sesame")
    Path("seed").write_text(SEED)
    options = ("--set", "path=keys", "--set", "passphrase=env:WORD")
    assert signer(*options, "file", "import", "seed").exit_code == 0
    with create_signer({"backend": "noop", "seed": SEED}) as expected:
        shown = signer("--backend", "file", *options, "show", "--format", "address")
        assert shown.stdout == f"{expected.address.hex()}\n"


# --- of extensions ---------------------------------------------------------------------------------------------------

EXTENSION = """
import click

@attrs.frozen(kw_only=True)
class Options:
    limit: int = 1

class Policy:
    @hookimpl
    def signer_before_sign(self):
        pass

@hookimpl
def signer_extension():
    return Extension(contract=1, config_class=Options)

@hookimpl
def signer_attach():
    return Policy()

@click.group()
def group():
    "What the policy does."

@group.command()
@click.pass_obj
def tell(line):
    click.echo(line.config().limit)

@group.command()
def idle():
    click.echo("done")

@hookimpl
def signer_commands():
    return group
"""
GROUP = "signer_core.extensions"


@pytest.fixture
def policy(install: Install) -> None:
    install("signer-policy", EXTENSION, name="policy", group=GROUP)


@pytest.mark.usefixtures("policy")
def test_an_extension_brings_commands_too(signer: Signer) -> None:
    result = signer("policy", "--help")
    assert result.stdout.startswith("Usage: signer policy ")
    assert "What the policy does." in result.stdout


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize("configuration", [None, "what is this?", "[signer]\nbackend = 'vault'\ntimeout = 0\n"])
def test_a_command_of_an_extension_needs_no_configuration_but_for_its_options(
    configuration: str | None, signer: Signer
) -> None:
    if configuration is not None:
        Path("signer.toml").write_text(configuration)
    assert signer("policy", "idle").stdout == "done\n"
    assert signer("policy", "tell").exit_code == 1


@pytest.mark.usefixtures("policy")
def test_commands_of_an_extension_find_its_options(signer: Signer) -> None:
    Path("signer.toml").write_text(
        '[signers.a]\nbackend = "noop"\n[signers.a.extensions.policy]\nlimit = 3\n[signers.b]\nbackend = "noop"\n'
    )
    assert signer("--signer", "a", "policy", "tell").stdout == "3\n"
    result = signer("--signer", "b", "policy", "tell")
    assert result.exit_code == 1
    error, remedy = result.stderr.splitlines()
    assert error.endswith("signer.toml [signers.b] lists no extension 'policy'")
    assert remedy == "remedy: list it in the option 'extensions', or give another file by --config"


def test_a_broken_extension_says_so(signer: Signer, install: Install) -> None:
    install("signer-policy", "raise ImportError('no libpolicy')", name="policy", group=GROUP)
    result = signer("policy", "idle")
    assert result.exit_code == 1
    assert "the plugin of extension 'policy', signer-policy 1.0, is broken: importing" in result.stderr
    assert "ImportError: no libpolicy" in result.stderr


def test_an_extension_without_commands_is_wrong_usage(signer: Signer, install: Install) -> None:
    install("signer-policy", EXTENSION.rpartition("@hookimpl")[0], name="policy", group=GROUP)
    result = signer("policy", "idle")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0] == "error: the extension 'policy' has no commands of its own"


def test_of_a_backend_and_an_extension_of_one_name_that_one_is_meant_that_has_commands(
    signer: Signer, install: Install
) -> None:
    install("signer-vault", WORKING, name="policy")
    install("signer-policy", EXTENSION, name="policy", group=GROUP)
    assert signer("policy", "idle").stdout == "done\n"


def test_where_neither_of_one_name_has_commands_it_is_wrong_usage(signer: Signer, install: Install) -> None:
    install("signer-vault", WORKING, name="policy")
    install("signer-policy", EXTENSION.rpartition("@hookimpl")[0], name="policy", group=GROUP)
    result = signer("policy", "idle")
    assert result.exit_code == 2
    assert "the backend or extension 'policy' has no commands of its own" in result.stderr


def test_a_backend_and_an_extension_of_one_name_that_both_bring_commands_are_an_error_that_names_both(
    signer: Signer, install: Install
) -> None:
    install("signer-vault", COMMANDS, name="policy")
    install("signer-policy", EXTENSION, name="policy", group=GROUP)
    result = signer("policy", "idle")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: both the backend and the extension 'policy' bring commands",
        "remedy: uninstall signer-vault 1.0 or signer-policy 1.0",
    ]
