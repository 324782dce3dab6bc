"""A line for each call of a signer, before the call returns."""

import logging
import os
import pickle
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signer_audit.audit import Audit
from signer_audit.config import AuditConfig
from signer_core import PublicKey, Signer, SignEvent, create_signer, hookimpl
from signer_core.errors import ExtensionError, KeyUnavailableError, PolicyViolationError
from tests.keys import Clock, Ed25519Key, ScriptedKey, in_child

from .logs import entries, heads, intact, lines, messages_in, opened, sha256, sign


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


Told = Callable[[], list[str]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """What the logger signer_audit was told."""
    caplog.set_level(logging.INFO, "signer_audit")
    return lambda: [each.getMessage() for each in caplog.records if each.name == "signer_audit"]


class Refusing:
    @hookimpl
    def signer_before_sign(self, event: SignEvent) -> None:
        raise PolicyViolationError("not this one")


class Withholding:
    @hookimpl
    def signer_after_sign(self) -> None:
        raise ExtensionError("no")


def test_a_signature_is_a_line(path: Path) -> None:
    with opened(path) as signer:
        before = time.time()
        signature = signer.sign(b"message")
        after = time.time()
        [entry] = entries(path)
    assert list(entry) == [
        *("v", "prev", "time", "outcome", "error", "signer", "backend", "key_id", "fingerprint", "message_sha256"),
        *("message_size", "prehashed", "signature_sha256", "duration_us", "pid", "check"),
    ]
    assert entry["v"] == 1
    assert entry["prev"] == "0" * 64
    assert (entry["outcome"], entry["error"]) == ("signed", None)
    assert (entry["signer"], entry["backend"]) == ("sequencer", "noop")
    assert (entry["key_id"], entry["fingerprint"]) == (signer.key_id, signer.public_key.fingerprint)
    assert (entry["message_sha256"], entry["message_size"]) == (sha256(b"message"), 7)
    assert entry["prehashed"] is None
    assert entry["signature_sha256"] == sha256(signature)
    assert entry["pid"] == os.getpid()
    assert 0 <= entry["duration_us"] <= (after - before) * 1e6 + 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entry["time"])


def test_the_time_is_that_of_the_outcome(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = Audit(AuditConfig(path=path))
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.25)
    audit.signer_after_sign(event(started_at=1_700_000_000.0), b"signature", None)
    audit.signer_after_sign(event(started_at=1_700_000_001.0), b"signature", None)  # the clock was set back meanwhile
    audit.close()
    told = [(each["time"], each["duration_us"]) for each in entries(path)]
    assert told == [("2023-11-14T22:13:20.250000Z", 250_000), ("2023-11-14T22:13:20.250000Z", 0)]


def event(**fields: Any) -> SignEvent:
    key = Ed25519Key()
    given = {"signer": None, "backend": None, "message": b"message", "size": 7, "started_at": 0.0, **fields}
    return SignEvent(key_id=key.key_id, public_key=key.public_key, **given)


def test_each_line_has_the_hash_of_the_one_before(path: Path) -> None:
    sign(path, b"1", b"2")
    sign(path, b"3")
    assert [each["prev"] for each in entries(path)] == heads(lines(path))[:-1]
    assert intact(path).head == heads(lines(path))[-1]


def test_each_line_has_a_check_of_its_own(path: Path) -> None:
    sign(path, b"1", b"2")
    for line, entry in zip(lines(path), entries(path), strict=True):
        assert entry["check"] == sha256(line.partition(b',"check"')[0])


def test_a_failure_is_a_line(path: Path) -> None:
    key = ScriptedKey([KeyUnavailableError("disabled")])
    with Signer(key, extensions={"audit": Audit(AuditConfig(path=path))}) as signer, pytest.raises(KeyUnavailableError):
        signer.sign(b"message")
    [entry] = entries(path)
    assert (entry["outcome"], entry["error"], entry["signature_sha256"]) == ("failed", "key-unavailable", None)
    assert (entry["signer"], entry["backend"]) == (None, None)


@pytest.mark.parametrize("order", [("audit", "policy"), ("policy", "audit")])
def test_a_refusal_is_a_line(path: Path, order: tuple[str, str]) -> None:
    extensions = {"audit": Audit(AuditConfig(path=path)), "policy": Refusing()}
    with (
        Signer(Ed25519Key(), extensions={name: extensions[name] for name in order}) as signer,
        pytest.raises(PolicyViolationError),
    ):
        signer.sign(b"message")
    [entry] = entries(path)
    assert (entry["outcome"], entry["error"], entry["signature_sha256"]) == ("refused", "policy-violation", None)


def test_listed_first_it_records_what_other_extensions_withhold(path: Path) -> None:
    audit = Audit(AuditConfig(path=path))
    with (
        Signer(Ed25519Key(), extensions={"audit": audit, "other": Withholding()}) as signer,
        pytest.raises(ExtensionError),
    ):
        signer.sign(b"message")
    [entry] = entries(path)
    assert (entry["outcome"], entry["error"]) == ("failed", "extension")


def test_what_is_no_text_against_its_type_is_logged_as_text(path: Path) -> None:
    """Whatever a program or another extension comes with, the log can be verified."""

    class NumberedError(PolicyViolationError):
        code = 5  # type: ignore[assignment]

    class Numbering:
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> None:
            if event.message == b"refused":
                raise NumberedError("no")

    audit = Audit(AuditConfig(path=path))
    with (
        Signer(Ed25519Key(), extensions={"audit": audit, "numbering": Numbering()}) as signer,
        pytest.raises(NumberedError),
    ):
        signer.sign(b"refused")
    assert intact(path).lines == 1
    assert [each["error"] for each in entries(path)] == ["5"]


def test_an_error_of_unknown_kind_has_the_name_of_its_class(path: Path) -> None:
    audit = Audit(AuditConfig(path=path))
    audit.signer_after_sign(event(), None, ZeroDivisionError("secret"))
    audit.close()
    assert [(each["outcome"], each["error"]) for each in entries(path)] == [("failed", "ZeroDivisionError")]
    assert b"secret" not in path.read_bytes()


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ecdsa-p384-sha384", "ml-dsa-44"])
def test_of_a_digest_that_is_signed_the_digest_is_logged(path: Path, algorithm: str) -> None:
    audit = {"path": str(path)}
    with create_signer({"backend": "noop", "algorithm": algorithm, "extensions": {"audit": audit}}) as signer:
        hasher = signer.hasher()
        hasher.update(b"message")
        signature = signer.sign_digest(hasher.digest())
    [entry] = entries(path)
    assert entry["prehashed"] == {"hash": hasher.name, "digest": hasher.hexdigest()}
    known = sha256(b"message") if hasher.name == "sha256" else None
    assert (entry["message_sha256"], entry["message_size"]) == (known, None)
    assert entry["signature_sha256"] == sha256(signature)
    assert intact(path).lines == 1


def test_the_message_is_not_in_the_log(path: Path) -> None:
    sign(path, b"confidential")
    assert b"confidential" not in path.read_bytes()


def test_a_line_that_would_be_too_long_is_no_signature(path: Path) -> None:
    key = Ed25519Key(key_id="k" * 70_000)
    with (
        Signer(key, extensions={"audit": Audit(AuditConfig(path=path))}) as signer,
        pytest.raises(ExtensionError, match="too long"),
    ):
        signer.sign(b"message")
    assert path.read_bytes() == b""


@pytest.mark.parametrize("key_id", ['"quoted\\', "\x00\x7f\n", "schlüssel", "\ud800", "<torn>\n", "k" * 50_000])
def test_any_key_id_can_be_logged(path: Path, key_id: str) -> None:
    for _ in range(2):
        with Signer(Ed25519Key(key_id=key_id), extensions={"audit": Audit(AuditConfig(path=path))}) as signer:
            signer.sign(b"message")
    assert [each["key_id"] for each in entries(path)] == [key_id] * 2
    assert intact(path).lines == 2


def test_the_head_is_told_at_close(path: Path, told: Told) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        signer.sign(b"2")
        assert told() == []
    assert told() == [f"head of {path}: {heads(lines(path))[-1]}"]


def test_a_log_without_a_line_has_no_head_to_tell(path: Path, told: Told) -> None:
    opened(path).close()
    assert told() == []


def test_the_head_is_told_at_intervals_while_lines_are_written(path: Path, told: Told) -> None:
    clock = Clock()
    audit = Audit(AuditConfig(path=path, head_interval="1m"), clock=clock)
    for seconds in (59, 1, 59, 2, 0, 60):
        clock.advance(seconds)
        audit.signer_after_sign(event(), b"signature", None)
    head = heads(lines(path))
    assert told() == [f"head of {path}: {head[number]}" for number in (2, 4, 6)]
    audit.close()


def test_after_close_no_signature_comes_out(path: Path) -> None:
    audit = Audit(AuditConfig(path=path))
    audit.close()
    audit.close()
    signer = Signer(Ed25519Key(), extensions={"audit": audit})
    with pytest.raises(ExtensionError, match=r"^extension 'audit' failed: the audit log \S+ is closed$"):
        signer.sign(b"message")
    assert path.read_bytes() == b""


def test_a_pickled_signer_logs_where_the_first_one_does(path: Path) -> None:
    with opened(path) as signer, pickle.loads(pickle.dumps(signer)) as copy:
        signer.sign(b"1")
        copy.sign(b"2")
        signer.sign(b"3")
    assert messages_in(path) == [sha256(b"1"), sha256(b"2"), sha256(b"3")]
    assert intact(path).lines == 3


def test_a_child_and_its_parent_log_by_turns(path: Path) -> None:
    with opened(path) as signer:
        signer.sign(b"1")
        assert in_child(lambda: signer.sign(b"2")) == 0
        signer.sign(b"3")
        assert in_child(lambda: signer.sign(b"4")) == 0
    assert messages_in(path) == [sha256(each) for each in (b"1", b"2", b"3", b"4")]
    assert len({each["pid"] for each in entries(path)}) == 3
    assert intact(path).lines == 4


def test_the_key_is_that_of_the_log(path: Path) -> None:
    """Two signers with other keys may share a log."""
    other: PublicKey
    with opened(path) as signer, Signer(Ed25519Key(bytes(32)), extensions={"a": Audit(AuditConfig(path=path))}) as two:
        signer.sign(b"1")
        two.sign(b"2")
        other = two.public_key
        assert [each["fingerprint"] for each in entries(path)] == [signer.public_key.fingerprint, other.fingerprint]
