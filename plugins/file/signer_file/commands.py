"""``signer file export``, ``signer file import`` and ``signer file passwd``."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from signer_core.deadline import Deadline
from signer_core.errors import ConfigError, KeyFormatError
from signer_core.hookspecs import CommandLine
from signer_file.config import FileConfig, not_empty

_REFERENCE = "file:PATH (from the working directory, not from the configuration's), env:NAME or prompt."


@click.group("file")
def group() -> None:
    """Export, import and re-encrypt the key of the file backend."""


@group.command("export")
@click.option("-o", "--output", metavar="PATH", help="Write to a new file that only you can read, instead of stdout.")
@click.option("--new-passphrase", metavar="REF", help=f"Encrypt with this passphrase, not the key file's: {_REFERENCE}")
@click.option("--unencrypted-hex", is_flag=True, help="Write the bare private key in hex, without any protection.")
@click.pass_obj
def export_key(line: CommandLine, output: str | None, new_passphrase: str | None, unencrypted_hex: bool) -> None:
    """Write the private key as an encrypted PKCS#8 PEM, which openssl and most libraries read."""
    from signer_core.algorithms import FACTS
    from signer_core.public_key import PublicKey
    from signer_file import pkcs8
    from signer_file.key_file import KeyFile
    from signer_file.location import find_existing

    config: FileConfig = line.config()
    file = KeyFile.read(find_existing(config))
    passphrase = file.passphrase(config)
    key = file.open(passphrase)
    if unencrypted_hex:
        key_type = FACTS[PublicKey.from_cryptography(key.public_key()).algorithm].key_type
        exported = key_type.to_private_bytes(key).hex().encode() + b"\n"
        click.echo("warning: this is the private key itself; whoever reads it can sign", err=True)
    else:
        if new_passphrase is not None or not passphrase:
            passphrase = _new_passphrase(line, new_passphrase)
        exported = pkcs8.encrypt(key, passphrase)
    if output in (None, "-"):
        click.echo(exported, nl=False)
    else:
        _write_new(output, exported)


@group.command("import")
@click.argument("source")
@click.option("--force", is_flag=True, help="Replace the key that is there; its file stays beside it, as a backup.")
@click.option("--source-passphrase", metavar="REF", help=f"What SOURCE is encrypted with: {_REFERENCE}")
@click.pass_obj
def import_key(line: CommandLine, source: str, force: bool, source_passphrase: str | None) -> None:
    """Take in a private key from the file SOURCE, or from stdin if it is "-".

    It may be a seed of 64 hex digits, ev-node's 64 raw bytes (seed and public key), a PKCS#8 PEM or an older one of
    OpenSSL's, an OpenSSH private key, or a signer.json; with the option 'algorithm' also a private key for that in hex.
    Prints the key's address, or its fingerprint, if it is an RSA key.
    """
    from signer_core.algorithms import FACTS
    from signer_core.public_key import PublicKey
    from signer_file import changing
    from signer_file.imported import recognise
    from signer_file.key_file import errors_naming

    config: FileConfig = line.config()

    def ask() -> bytes:
        with _errors_naming("--source-passphrase"):
            secret = line.secret(source_passphrase, f"passphrase of {source}")
        return secret.reveal()

    location = changing.look_for_place(config, force=force)
    which = "check which passphrase it was encrypted with, and give that one by --source-passphrase"
    with errors_naming(source, of_passphrase=which):
        key, was_encrypted = recognise(_read_source(source), ask, config.algorithm)
        algorithm = PublicKey.from_cryptography(key.public_key(), algorithm=config.algorithm).algorithm
    imported = changing.import_key(config, key, algorithm, location, force=force, deadline=Deadline.after(None))
    if imported.backup is not None:
        click.echo(f"the key that was there is kept in {imported.backup}", err=True)
    click.echo(f"the key is now in {imported.key.key_id}", err=True)
    if not was_encrypted and source != "-":
        click.echo(f"{source} holds it without protection: delete that if you no longer need it", err=True)
    public_key = imported.key.public_key
    click.echo(public_key.address.hex() if FACTS[algorithm].key_type.has_raw else public_key.fingerprint)


@group.command("passwd")
@click.option("--new-passphrase", metavar="REF", help=f"{_REFERENCE} Asked for if left out.")
@click.pass_obj
def change_passphrase(line: CommandLine, new_passphrase: str | None) -> None:
    """Encrypt the key file with another passphrase: the same key, in the same format.

    The file with the old passphrase is not kept. An outdated key derivation is replaced by the current one.
    """
    from signer_file.changing import change_passphrase
    from signer_file.key_file import KeyFile
    from signer_file.location import find_existing

    config: FileConfig = line.config()
    file = KeyFile.read(find_existing(config))
    key = file.open(file.passphrase(config))
    change_passphrase(file, key, _new_passphrase(line, new_passphrase), Deadline.after(None))
    click.echo(
        f"{file.location.file} is encrypted with the new passphrase; let the option 'passphrase' lead to it", err=True
    )


def _new_passphrase(line: CommandLine, reference: str | None) -> bytes:
    with _errors_naming("--new-passphrase"):
        secret = line.secret(reference, "new passphrase", confirm=True)
    return not_empty(secret.reveal())


@contextlib.contextmanager
def _errors_naming(flag: str) -> Iterator[None]:
    """What is no reference was given by ``flag``."""
    try:
        yield
    except ConfigError:  # which speaks of configurations; neither repeats what may be the passphrase itself
        raise ConfigError(
            f"{flag} takes no passphrase, but a reference that leads to it",
            remedy='write "file:PATH", "env:NAME" or "prompt"',
        ) from None


def _read_source(source: str) -> bytes:
    """The content of the file or of stdin; a pipe will do, so that the key need not lie on a disk."""
    from signer_file.failure import failure
    from signer_file.store import MAX_BYTES

    try:
        if source == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(source, "rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise failure(error, f"{source} cannot be read") from None
    if len(content) > MAX_BYTES:
        raise KeyFormatError(f"it is larger than {MAX_BYTES} bytes, so it is no private key")
    return content


def _write_new(output: str, content: bytes) -> None:
    from signer_file import store

    store.create(Path(os.path.abspath(output)), content)
    click.echo(f"written to {output}", err=True)
