"""Audit logs: verifying one, and going on with it."""

import contextlib
import hashlib
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from signer_audit.entry import TORN
from signer_audit.verification import verify
from sweep.target import Check, Target, expect, refusing
from tests.plugins.audit.logs import opened, sign

_LINE = re.compile(rb'(\{"v":1,"prev":")[0-9a-f]{64}(.*)(,"check":")[0-9a-f]{64}("\}\n)', re.DOTALL)


def _mended(data: bytes) -> bytes:
    """With the hashes of each line set right, which no fuzzer would guess; only where it begins with ``+``."""
    if not data.startswith(b"+"):
        return data
    previous, lines = b"0" * 64, []
    for line in data[1:].splitlines(keepends=True):
        if parts := _LINE.fullmatch(line):
            body = parts[1] + previous + parts[2]
            check = hashlib.sha256(body).hexdigest().encode()
            lines.append(body + parts[3] + check + parts[4])
            previous = hashlib.sha256(lines[-1]).hexdigest().encode()
        else:
            lines.append(line)
    return b"".join(lines)


def _seeds() -> Iterator[bytes]:
    logging.disable()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "log")
        sign(path, b"1", b"2")
        whole = path.read_bytes()
        path.write_bytes(whole[:-20])
        sign(path, b"3")
        torn = path.read_bytes()
    for each in (whole, torn, whole + TORN, whole[:100], b""):
        yield each
        yield b"+" + each


@contextlib.contextmanager
def _continuing() -> Iterator[Check]:
    """A log that is intact is continued, and is intact then; one that is continued keeps all that was in it."""
    logging.disable()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "log")

        def check(data: bytes) -> None:
            content = _mended(data)
            path.write_bytes(content)
            path.chmod(0o600)
            report = verify([path])
            expect(path.read_bytes() == content, "verifying a log changed it")
            continued = False
            with refusing(), opened(path) as signer:
                signer.sign(b"message")
                continued = True
            if continued:
                expect(path.read_bytes().startswith(content), "continuing a log changed what was in it")
                after = verify([path])
                expect(after.problem is None or report.problem is not None, "a log that was intact is not any more")
                expect(after.problem is not None or after.lines == report.lines + 1, "a line is missing")
            else:
                expect(path.read_bytes() == content, "a log that is refused was changed")
                expect(report.problem is not None, "a log that is intact is refused")

        yield check


TARGETS = {"audit-log": Target(_seeds, _continuing)}
