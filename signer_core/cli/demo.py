"""``signer demo``: what the project is for, in a temporary folder."""

import contextlib
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer_core.cli.output import Command, write

if TYPE_CHECKING:
    from signer_core.signer import Signer

_FILE = 'signer = { backend = "file", path = "keys", passphrase = "file:passphrase" }'
_NOOP = 'signer = { backend = "noop" }'


@click.command("demo", cls=Command)
def command() -> None:
    """Sign this project's README with an encrypted key file, then with another backend, by changing one line.

    It works in a temporary folder, and leaves nothing behind.
    """
    what, message = _readme()
    with _ending_in_order(), tempfile.TemporaryDirectory(prefix="signer-demo-") as folder:
        configuration = Path(folder, "signer.toml")
        Path(folder, "passphrase").write_text(secrets.token_urlsafe(32) + "\n")
        _say(f"This signs {what}, {len(message)} bytes, twice: where the key lives is one line of signer.toml.\n")

        configuration.write_text(f"{_FILE}\n")
        _say(f"1. A key in an encrypted file. signer.toml says:\n\n     {_FILE}\n")
        with _opened(configuration) as signer:
            _say(
                "   There was no key, so one was made, and encrypted with a random passphrase:",
                f"     {signer.key_id}\n",
            )
            first = _sign_and_verify(signer, message)

        configuration.write_text(f"{_NOOP}\n")
        _say(f"2. A key in memory, for tests. The one line of signer.toml now says:\n\n     {_NOOP}\n")
        with _opened(configuration) as signer:
            second = _sign_and_verify(signer, message)
    _say(
        "Both times the same code asked for a signature; only the configuration chose the key.",
        "The signatures differ because the keys do." if first != second else "",
        f"The folder {folder} is gone, and the key with it.",
    )


def _opened(configuration: Path) -> "Signer":
    """What ``init_signer(configuration)`` opens, but blind for the environment: its SIGNER_PATH may be a real key's."""
    from signer_core.config import read
    from signer_core.factory import open_signer

    return open_signer(read(configuration).replace(environment={}), make=True)


def _sign_and_verify(signer: "Signer", message: bytes) -> bytes:
    signature = signer.sign(message)
    signer.public_key.verify(signature, message)
    _say(
        f"   address     {signer.address.hex()}",
        f"   public key  {signer.public_key.raw.hex()}",
        f"   signature   {signature.hex()}",
        "   verified    yes, with the public key alone\n",
    )
    return signature


def _readme() -> tuple[str, bytes]:
    """The project's README: the file of a checkout, else the copy in the metadata of the installed distribution."""
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file() and (root / "README.md").is_file():
        return str(root / "README.md"), (root / "README.md").read_bytes()
    from importlib_metadata import metadata

    return "the README of signer-core", metadata("signer-core")["Description"].encode()


def _say(*lines: str) -> None:
    write("".join(f"{line}\n" for line in lines))


@contextlib.contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let a termination unwind as Ctrl-C does, so that the folder goes whatever ends the command."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda number, _: sys.exit(128 + number)) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
