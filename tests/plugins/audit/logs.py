"""Signers that write a log, logs that were written, and what is in them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from signer_audit.entry import GENESIS
from signer_audit.verification import Report, verify
from signer_core import Signer, create_signer
from tests.keys import SEED


def options(path: Path, **more: object) -> dict[str, object]:
    """What opens a signer whose signatures are logged in ``path``."""
    return {"backend": "noop", "seed": SEED.hex(), "extensions": {"audit": {"path": str(path), **more}}}


def opened(path: Path, **more: object) -> Signer:
    return create_signer(options(path, **more), name="sequencer")


def sign(path: Path, *messages: bytes) -> None:
    """Sign each of the messages, by a signer that is closed afterwards."""
    with opened(path) as signer:
        for message in messages:
            signer.sign(message)


def lines(path: Path) -> list[bytes]:
    """The lines of the log, with their newlines."""
    return path.read_bytes().splitlines(keepends=True)


def entries(path: Path) -> list[dict[str, Any]]:
    """What the lines of the log say, but for those that are torn."""
    return [json.loads(each) for each in lines(path) if each.endswith(b'"}\n')]


def messages_in(path: Path) -> list[str]:
    """The SHA-256 of each message in the log."""
    return [each["message_sha256"] for each in entries(path)]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def heads(written: Sequence[bytes]) -> list[str]:
    """The head of a log after none of the lines, after the first, …, after all."""
    return [GENESIS, *map(sha256, written)]


def problem(path: Path, head: str | None = None) -> str | None:
    """What is wrong with the log; None if it is intact."""
    return verify([path], wanted=head).problem


def intact(path: Path) -> Report:
    """The report on a log that is intact."""
    report = verify([path])
    assert report.problem is None
    return report
