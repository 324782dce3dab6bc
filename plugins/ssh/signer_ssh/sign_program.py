"""``signer-ssh-sign``: signatures of files for git, in the place of ssh-keygen."""

import contextlib
import os
from collections.abc import Sequence

import click

from signer_core.cli.failures import Failure, reason
from signer_core.cli.input import STDIN, opened
from signer_core.cli.output import Command, write
from signer_core.cli.program import Program
from signer_ssh import ssh_keygen
from signer_ssh.sshsig import HASHES, SignedData

_SUFFIX = ".sig"
_VERB = "sign"


class _Sign(Program, Command):
    """Takes the place of ssh-keygen, which does what needs no private key."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what is to be signed; for anything else become ssh-keygen."""
        if ssh_keygen.verb(args) not in (None, _VERB):
            ssh_keygen.become(_without_ours(args))
        return super().parse_args(ctx, args)


def _without_ours(args: Sequence[str]) -> Sequence[str]:
    """Without the ``--config`` that a script of the user may have put before what git gave it."""
    match args:
        case ["--config", _, *rest]:
            return rest
        case [first, *rest] if first.startswith("--config="):
            return rest
    return args


def _namespace(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        value = ""
    if not value:
        raise click.BadParameter("write what the signatures are for, such as git or file")
    return value


def _key_file(_: click.Context, __: click.Parameter, value: str) -> str:
    if value == STDIN:
        raise click.BadParameter("the standard input is what is signed; name a file")
    return value


def _hash_name(_: click.Context, __: click.Parameter, values: Sequence[str]) -> str:
    chosen = next(iter(HASHES))
    for each in values:
        option, _equals, chosen = each.partition("=")
        if option != "hashalg" or chosen not in HASHES:
            raise click.BadParameter(f"write hashalg=NAME, NAME being one of: {', '.join(HASHES)}")
    return chosen


@click.command(
    "signer-ssh-sign",
    cls=_Sign,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="With another verb after -Y, such as verify, ssh-keygen does it.",
)
@click.option(
    "--config",
    type=click.Path(),
    metavar="PATH",
    help="The configuration file.  [default: $SIGNER_CONFIG, else ~/.config/signer/signer.toml]",
)
@click.option("-Y", "_verb", type=click.Choice([_VERB]), required=True, help="What is to be done.")
@click.option("-n", "namespace", metavar="NAMESPACE", required=True, callback=_namespace, help="What it is for.")
@click.option(
    "-f",
    "key_file",
    type=click.Path(),
    metavar="PATH",
    required=True,
    callback=_key_file,
    help="The public key of the signer that signs.",
)
@click.option(
    "-O", "hash_name", multiple=True, metavar="hashalg=NAME", callback=_hash_name, help="The hash.  [default: sha512]"
)
@click.option("-U", "_agent", is_flag=True, help="Changes nothing: no agent is asked.")
@click.option("-q", "_quiet", is_flag=True, help="Changes nothing.")
@click.option("-v", "verbosity", count=True, help="Tell more on stderr; -vv adds the traceback of an error.")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(allow_dash=True))
@click.version_option(package_name="signer-ssh", prog_name="signer-ssh-sign")
def main(
    *, config: str | None, namespace: str, key_file: str, hash_name: str, files: tuple[str, ...], **_: object
) -> None:
    """Sign files as `ssh-keygen -Y sign` does, with the configured signer whose public key the file of -f holds.

    The signature of each FILE goes to FILE.sig, which must not be there; without a FILE, that of the standard input
    goes to the standard output. Set it as git's gpg.ssh.program.
    """
    from signer_ssh.configuration import signers
    from signer_ssh.keys import encode_key, encode_signature
    from signer_ssh.opening import opened_for
    from signer_ssh.public_key_file import read_public_key

    public_key = read_public_key(key_file)
    for file in files:
        _check_free(file)
    signed = {file: SignedData(namespace, hash_name, _digest(file, hash_name)) for file in files or (STDIN,)}
    with opened_for(public_key, signers(config), source=key_file) as signer:
        signatures = signer.sign_many([each.encoded() for each in signed.values()])
        algorithm = signer.algorithm
    for (file, data), signature in zip(signed.items(), signatures, strict=True):
        armored = data.armored(encode_key(public_key), encode_signature(algorithm, signature))
        if file == STDIN:
            write(armored)
        else:
            _create(file + _SUFFIX, armored)


def _check_free(file: str) -> None:
    if file != STDIN and os.path.lexists(file + _SUFFIX):
        raise Failure(f"{file}{_SUFFIX} is there already", remedy="nothing was signed; remove it first")


def _digest(file: str, hash_name: str) -> bytes:
    import hashlib

    digest = hashlib.new(hash_name)
    with opened(file) as content:
        for piece in content.pieces():
            digest.update(piece)
    return digest.digest()


def _create(path: str, content: bytes) -> None:
    """Write a new file. None that is there is written to, nor one that a link leads to: git's are in /tmp."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
    except OSError as error:
        raise Failure(f"{path} cannot be written: {reason(error)}") from error
