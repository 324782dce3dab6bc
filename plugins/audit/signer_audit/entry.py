"""The lines of an audit log: what they tell, and how each is tied to the one before it.

A line is an object of JSON, compact and in ASCII, with its newline::

    {"v":1,"prev":"…","time":"…",…,"check":"…"}

``prev`` is the SHA-256 of the line before it, with its newline: 64 zeros where there is none. ``check`` is the SHA-256
of the line's own bytes before ``,"check":``. The SHA-256 of the last line is the *head* of the log.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from signer_core.errors import ExtensionError, PolicyViolationError, SignerError
from signer_core.hookspecs import SignEvent

#: What stands for the line before the first one.
GENESIS = "0" * 64
#: What ends a line that was not written to its end. No entry ends like that.
TORN = b"<torn>\n"
#: The longest entry, with its newline; the texts in it (the key's id, names) have a few hundred bytes.
MAX_BYTES = 64 * 1024

_BEGIN = '{"v":1,"prev":"'
_FIRST = f'{_BEGIN}{GENESIS}",'.encode()
_HASH = r'"[0-9a-f]{64}"'
_TEXT = r'"[ !#-\[\]-~]*+(?:\\["\\/bfnrtu][ !#-\[\]-~]*+)*+"'
#: The names of what a line tells, in their order, and what each value looks like.
_FIELDS = {
    "time": r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"',
    "outcome": r'"(?:signed|failed|refused)"',
    "error": f"(?:null|{_TEXT})",
    "signer": f"(?:null|{_TEXT})",
    "backend": f"(?:null|{_TEXT})",
    "key_id": _TEXT,
    "fingerprint": _HASH,
    "message_sha256": f"(?:null|{_HASH})",
    "message_size": r"(?:null|\d+)",
    "prehashed": rf'(?:null|\{{"hash":{_TEXT},"digest":"[0-9a-f]*"\}})',
    "signature_sha256": f"(?:null|{_HASH})",
    "duration_us": r"\d+",
    "pid": r"\d+",
}
_ENTRY = re.compile(
    r'\{"v":1,"prev":"([0-9a-f]{64})",(?:"torn":"([0-9a-f]{64})",)?(?:"continues":"([0-9a-f]{64})",)?'
    + ",".join(f'"{name}":{value}' for name, value in _FIELDS.items())
    + r'(,"check":"([0-9a-f]{64})"\}\n)'
)
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@attrs.frozen
class Links:
    """What ties an entry to what is before it, as hashes in hex."""

    #: The entry before, or ``GENESIS``.
    previous: str
    #: The torn lines between that one and this; None if there are none.
    torn: str | None = None
    #: In the first entry of a file, the last one of the file before, if there was one.
    continues: str | None = None


class NotAnEntryError(ValueError):
    """A line is none that was written here; the text goes on after "line 7"."""


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def is_hash(value: str) -> bool:
    """Whether ``value`` is one as :func:`digest` makes it."""
    return re.fullmatch("[0-9a-f]{64}", value) is not None


def record(event: SignEvent, signature: bytes | None, error: BaseException | None, now: float) -> bytes:
    """What a line tells of one call, whose outcome was known at ``now``, in seconds since the epoch.

    Raises :class:`~signer_core.errors.ExtensionError` for what is too long to be a line.
    """
    prehashed = event.prehashed and {"hash": event.prehashed[0], "digest": event.prehashed[1].hex()}
    fields = {
        "time": datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "outcome": _outcome(error),
        "error": _code(error),
        "signer": _text(event.signer),
        "backend": _text(event.backend),
        "key_id": event.key_id,
        "fingerprint": event.public_key.fingerprint,
        "message_sha256": event.digest and event.digest.hex(),
        "message_size": event.size,
        "prehashed": prehashed,
        "signature_sha256": None if signature is None else digest(signature),
        "duration_us": max(0, round((now - event.started_at) * 1e6)),
        "pid": os.getpid(),
    }
    recorded = encoded(fields)
    if len(recorded) > MAX_BYTES - 1024:  # what is left is more than all links take
        raise ExtensionError(f"a line of {len(recorded)} bytes is too long", remedy="use a shorter name of the signer")
    return recorded


def encoded(fields: Mapping[str, object]) -> bytes:
    """The fields as they stand in a line."""
    return _encode(fields)[1:-1].replace("\x7f", "\\u007f").encode()  # JSON leaves that control character alone


def line(recorded: bytes, links: Links) -> bytes:
    """The whole line, with its newline."""
    chained = f'{_BEGIN}{links.previous}",'
    if links.torn is not None:
        chained += f'"torn":"{links.torn}",'
    if links.continues is not None:
        chained += f'"continues":"{links.continues}",'
    body = chained.encode() + recorded
    return b'%s,"check":"%s"}\n' % (body, digest(body).encode())


def parse(written: bytes) -> tuple[Links, str]:
    """The links of the entry in a line, which is given with its newline, and the hash of the line.

    Raises :class:`NotAnEntryError`.
    """
    if len(written) > MAX_BYTES:
        raise NotAnEntryError(f"is longer than any entry, {MAX_BYTES} bytes")
    entry = _ENTRY.fullmatch(written.decode("ascii", "replace"))
    if entry is None:
        raise NotAnEntryError("is no entry, or none of a version that this release knows")
    previous, torn, continues, end, check = entry.groups()
    hashing = hashlib.sha256(written[: -len(end)])
    if hashing.hexdigest() != check:
        raise NotAnEntryError("was changed: its check belongs to another text")
    hashing.update(end.encode())
    return Links(previous, torn, continues), hashing.hexdigest()


def may_begin(written: bytes) -> bool:
    """Whether ``written``, of which nothing is a whole entry, may be what came of the first line of a log."""
    begun = written.partition(TORN[:1])[0][: len(_FIRST)]
    return begun != b"" and _FIRST.startswith(begun)


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "signed"
    return "refused" if isinstance(error, PolicyViolationError) else "failed"


def _code(error: BaseException | None) -> str | None:
    """The error's stable code; for one that the library does not know, the name of its class."""
    if error is None:
        return None
    return _text(error.code) if isinstance(error, SignerError) else type(error).__name__


def _text(value: object) -> str | None:
    """A text, or none, also where a program or a plugin does not keep to the types: a line is of one format."""
    return None if value is None else str(value)
