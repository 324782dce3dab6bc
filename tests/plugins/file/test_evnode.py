"""ev-node's signer.json."""

import base64
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_core import create_signer, init_signer
from signer_core.errors import (
    ConfigError,
    KeyFormatError,
    SignerError,
    UnsupportedAlgorithmError,
    WrongPassphraseError,
)
from signer_file.evnode import SignerJson, seal

from .keys import ASCII, BY_NAME, LEGACY, MESSAGE, PASSPHRASE, Fixture, options, write_private

OPENABLE = [each for each in BY_NAME.values() if each.passphrase]
SALTED = [each for each in OPENABLE if not each.name.startswith("legacy")]
UNSALTED = [each for each in OPENABLE if each.name.startswith("legacy")]


def name(fixture: Fixture) -> str:
    return fixture.name


@pytest.mark.parametrize("fixture", OPENABLE, ids=name)
def test_a_file_that_ev_node_wrote_gives_its_address_and_its_signature(fixture: Fixture, tmp_path: Path) -> None:
    with create_signer(options(fixture.copy_to(tmp_path), fixture.passphrase)) as signer:
        assert signer.address.hex() == fixture.address
        assert signer.sign(fixture.message) == fixture.signature


def test_a_file_that_ev_node_wrote_with_an_empty_passphrase_asks_for_one(tmp_path: Path) -> None:
    path = BY_NAME["genuine-empty"].copy_to(tmp_path)
    with pytest.raises(ConfigError, match="a passphrase is required"):
        create_signer(options(path, b""))


def test_a_missing_passphrase_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a passphrase is required, and the option 'passphrase' is missing"):
        create_signer(options(ASCII.copy_to(tmp_path), None))


@pytest.mark.parametrize("fixture", UNSALTED, ids=name)
def test_an_old_file_logs_one_warning_that_says_how_to_renew_it(
    fixture: Fixture, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    create_signer(options(fixture.copy_to(tmp_path), fixture.passphrase)).close()
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("signer_file", logging.WARNING)
    assert "signer file passwd" in record.message


def test_a_current_file_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    create_signer(options(ASCII.copy_to(tmp_path), ASCII.passphrase)).close()
    assert caplog.records == []


@pytest.mark.parametrize("fixture", [ASCII, LEGACY], ids=name)
def test_a_wrong_passphrase_is_told_without_repeating_it(fixture: Fixture, tmp_path: Path) -> None:
    with pytest.raises(WrongPassphraseError) as caught:
        create_signer(options(fixture.copy_to(tmp_path), b"open sesame"))
    assert "sesame" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


def edited(**fields: Any) -> bytes:
    return json.dumps({**json.loads(ASCII.content), **fields}).encode()


def without(field: str) -> bytes:
    return json.dumps({key: value for key, value in json.loads(ASCII.content).items() if key != field}).encode()


def b64(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


NO_BASE64: list[Any] = [None, 1, True, [], {}, "%", "AA", "é", "A=A="]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not valid JSON"),
        (ASCII.content[:-1], "not valid JSON"),
        (ASCII.content[: len(ASCII.content) // 2], "not valid JSON"),
        (ASCII.content + ASCII.content, "not valid JSON"),
        (b"\xef\xbb\xbf" + ASCII.content, "not valid JSON"),
        (ASCII.content.decode().encode("utf-16"), "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b"[" * 60_000, "not valid JSON"),
        (b'{"a":' * 10_000, "not valid JSON"),
        (b"9" * 60_000, "not valid JSON"),
        (b"null", "not an object"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b"{}", "priv_key_encrypted is missing"),
        *[(without(field), f"{field} is missing") for field in ("priv_key_encrypted", "nonce", "pub_key")],
        (ASCII.content[:-1] + b',"nonce":""}', "there twice"),
        *[(edited(nonce=value), "nonce is not valid base64") for value in NO_BASE64],
        (edited(salt=[]), "salt is not valid base64"),
        (edited(salt=0), "salt is not valid base64"),
        *[(edited(nonce=b64(size)), f"nonce has {size} bytes where it must have 12") for size in (0, 11, 13)],
        *[(edited(salt=b64(size)), f"salt has {size} bytes where it must have 16") for size in (1, 15, 17)],
        *[(edited(pub_key=b64(size)), f"pub_key has {size} bytes where it must have 32") for size in (0, 31, 33)],
        *[
            (edited(priv_key_encrypted=b64(size)), f"priv_key_encrypted has {size} bytes where it must have 80 or 112")
            for size in (0, 15, 48, 81, 113)
        ],
        (edited(pub_key=b64(32)), "does not belong to its pub_key"),
    ],
)
def test_what_is_not_the_whole_of_a_key_file_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    path = write_private(tmp_path / "signer.json", content)
    with pytest.raises(KeyFormatError, match=re.escape(problem)) as caught:
        create_signer(options(path, ASCII.passphrase))
    assert caught.value.message.startswith(str(path))


@pytest.mark.parametrize("content", [b'{"priv": "precious"', b'"precious" \xff', b'{"nonce": "precious%"}'])
def test_no_content_shows_in_an_error_or_in_what_led_to_it(content: bytes, tmp_path: Path) -> None:
    path = write_private(tmp_path / "signer.json", content)
    with pytest.raises(KeyFormatError) as caught:
        create_signer(options(path, ASCII.passphrase))
    error: BaseException | None = caught.value
    while error is not None:
        assert "precious" not in repr((error, vars(error), getattr(error, "doc", None), getattr(error, "object", None)))
        error = error.__context__


def test_unknown_fields_are_ignored_as_in_go(tmp_path: Path) -> None:
    path = write_private(tmp_path / "signer.json", edited(comment={"made": 1.5e3}))
    assert create_signer(options(path, ASCII.passphrase)).address.hex() == ASCII.address


@pytest.mark.parametrize("salt", [None, ""])
def test_an_empty_salt_is_none_as_in_go(salt: str | None, tmp_path: Path) -> None:
    content = json.dumps({**json.loads(LEGACY.content), "salt": salt}).encode()
    path = write_private(tmp_path / "signer.json", content)
    assert create_signer(options(path, LEGACY.passphrase)).address.hex() == LEGACY.address


@pytest.mark.parametrize("public_keys", [b"\1" * 32, bytes(64), b"\1" * 64])
def test_a_private_form_with_another_public_key_is_refused(public_keys: bytes, tmp_path: Path) -> None:
    # a passphrase of 32 bytes is the key itself in the old derivation
    nonce, passphrase = bytes(12), b"k" * 32
    fields = {
        "priv_key_encrypted": AESGCM(passphrase).encrypt(nonce, ASCII.seed + public_keys, None),
        "nonce": nonce,
        "pub_key": Ed25519PrivateKey.from_private_bytes(ASCII.seed).public_key().public_bytes_raw(),
    }
    content = json.dumps({key: base64.b64encode(value).decode() for key, value in fields.items()}).encode()
    path = write_private(tmp_path / "signer.json", content)
    with pytest.raises(KeyFormatError, match="holds a public key that is not its own"):
        create_signer(options(path, passphrase))


def test_a_cryptography_without_argon2id_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: object) -> None:
        raise UnsupportedAlgorithm("This version of OpenSSL does not support argon2id")

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", missing)
    path = ASCII.copy_to(tmp_path)
    with pytest.raises(UnsupportedAlgorithmError) as caught:
        create_signer(options(path, ASCII.passphrase))
    assert caught.value.message == f"{path}: the cryptography that is installed has no Argon2id"
    assert caught.value.remedy == "install its wheel, or build it with OpenSSL 3.2"


def test_a_new_file_is_written_as_go_writes_it(tmp_path: Path) -> None:
    with init_signer(options(tmp_path)) as signer:
        public = signer.public_key.raw
    content = (tmp_path / "signer.json").read_bytes()
    fields = json.loads(content)
    assert list(fields) == ["priv_key_encrypted", "nonce", "pub_key", "salt"]
    assert json.dumps(fields, separators=(",", ":")).encode() == content
    encrypted, nonce, written_public, salt = (base64.b64decode(value, validate=True) for value in fields.values())
    assert (len(encrypted), len(nonce), len(salt)) == (80, 12, 16)
    assert written_public == public
    derived = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=32 * 1024).derive(PASSPHRASE)
    private = AESGCM(derived).decrypt(nonce, encrypted, None)
    assert Ed25519PrivateKey.from_private_bytes(private[:32]).public_key().public_bytes_raw() == public
    assert private[32:] == public


def test_a_new_file_opens_again(tmp_path: Path) -> None:
    with init_signer(options(tmp_path)) as made, create_signer(options(tmp_path)) as opened:
        assert opened.public_key == made.public_key
        opened.public_key.verify(opened.sign(MESSAGE), MESSAGE)


def test_the_key_id_is_the_absolute_path_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ASCII.copy_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert create_signer(options(Path(), ASCII.passphrase)).key_id == str(tmp_path / "signer.json")


@pytest.mark.slow  # the files that ev-node wrote are in the quick runs
@settings(max_examples=8, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), passphrase=st.binary(min_size=1, max_size=2000))
def test_any_seed_and_passphrase_round_trip(seed: bytes, passphrase: bytes) -> None:
    sealed = seal(Ed25519PrivateKey.from_private_bytes(seed), passphrase)
    assert SignerJson.parse(sealed).open(passphrase).private_bytes_raw() == seed


def opens_as_itself_or_not_at_all(content: bytes, fixture: Fixture) -> bool:
    try:
        return SignerJson.parse(content).open(fixture.passphrase).private_bytes_raw() == fixture.seed
    except SignerError:
        return True


def test_no_flipped_bit_gives_another_key() -> None:
    """Every bit, of a file without a costly derivation."""
    for bit in range(8 * len(LEGACY.content)):
        flipped = bytearray(LEGACY.content)
        flipped[bit // 8] ^= 1 << bit % 8
        assert opens_as_itself_or_not_at_all(bytes(flipped), LEGACY), f"bit {bit}"


@settings(max_examples=20, deadline=None)
@given(bit=st.integers(0, 8 * len(ASCII.content) - 1))
def test_no_flipped_bit_of_a_current_file_gives_another_key(bit: int) -> None:
    flipped = bytearray(ASCII.content)
    flipped[bit // 8] ^= 1 << bit % 8
    assert opens_as_itself_or_not_at_all(bytes(flipped), ASCII)


@settings(max_examples=100, deadline=None)
@given(
    content=st.binary() | st.text().map(str.encode) | st.from_regex(rb'\{("[a-z_]+": ?("[A-Za-z0-9+/=]*"|null),?)*\}')
)
def test_any_bytes_are_a_key_file_or_a_key_format_error(content: bytes) -> None:
    with pytest.raises(KeyFormatError):
        SignerJson.parse(content)
