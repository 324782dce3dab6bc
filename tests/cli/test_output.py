"""Standard output has the results, and nothing else."""

import json
from pathlib import Path

import pytest

from signer_core import create_signer
from tests.cli.conftest import Signer
from tests.conftest import Install

CHATTY = """
import click
print("imported")

class Chatty(Ed25519Key):
    def sign(self, message, deadline):
        print("signing")
        return super().sign(message, deadline)

@hookimpl
def signer_backend():
    print("asked")
    return Backend(contract=1, config_class=Config)

@hookimpl
def signer_open(config):
    print("opening")
    return Chatty()

@click.group()
def group():
    pass

@group.command()
def tell():
    click.echo("told")

@hookimpl
def signer_commands():
    print("asked for commands")
    return group
"""


@pytest.fixture
def chatty(install: Install, signer: Signer) -> Signer:
    """The command with a backend that prints whatever it does."""
    install("signer-chatty", CHATTY, name="chatty")
    Path("signer.toml").write_text('[signer]\nbackend = "chatty"\n')
    Path("message").write_bytes(b"block header")
    return signer


def test_a_signature_on_standard_output_is_all_there(chatty: Signer) -> None:
    result = chatty("sign", "message")
    assert result.exit_code == 0
    with create_signer("signer.toml") as signer:
        signer.public_key.verify(result.stdout_bytes, b"block header")
    assert "opening\nsigning\n" in result.stderr


def test_an_encoding_of_the_public_key_is_all_there(chatty: Signer) -> None:
    result = chatty("show", "--format", "der")
    with create_signer("signer.toml") as signer:
        assert result.stdout_bytes == signer.public_key.to_der()


def test_json_can_be_parsed(chatty: Signer) -> None:
    assert json.loads(chatty("check", "--json").stdout)["ok"]
    assert "chatty" in [each["name"] for each in json.loads(chatty("backends", "--load", "--json").stdout)]


def test_an_address_is_one_line(chatty: Signer) -> None:
    assert chatty("init").stdout == chatty("show", "--format", "address").stdout


def test_commands_of_a_backend_say_what_they_want_to_say(chatty: Signer) -> None:
    assert chatty("chatty", "tell").stdout == "told\n"
