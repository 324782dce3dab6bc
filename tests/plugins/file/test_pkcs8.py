"""PKCS#8 in PEM: what openssl writes and reads, and what is made here to have one fault."""

import base64
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509 import ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_core import PublicKey, create_signer, init_signer
from signer_core.errors import (
    ConfigError,
    KeyFormatError,
    SignerError,
    UnsupportedAlgorithmError,
    WrongPassphraseError,
)
from signer_file import pbes2
from signer_file.pkcs8 import PrivateKeyPem, encrypt, seal

from .keys import MESSAGE, PASSPHRASE, names_in, options, write_private

PASS = PASSPHRASE.decode()


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    """What the real one writes: for tests with the mark ``peer``."""
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def encrypted_by_openssl(pem: bytes, *how: str) -> bytes:
    return openssl("pkcs8", "-topk8", *how, "-passout", f"pass:{PASS}", given=pem)


def public_key_by_openssl(pem: bytes) -> PublicKey:
    return PublicKey.from_pem(openssl("pkey", "-pubout", "-passin", f"pass:{PASS}", given=pem))


def unencrypted(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(*PKCS8, serialization.NoEncryption())


def encrypted(key: PrivateKeyTypes) -> bytes:
    """As openssl does it unless told otherwise: AES-256-CBC, PBKDF2 with 2048 rounds."""
    return key.private_bytes(*PKCS8, serialization.BestAvailableEncryption(PASSPHRASE))


def pem(label: str, der: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(der) + f"-----END {label}-----\n".encode()


PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC_KEY = PublicKey.from_cryptography(KEY.public_key())
BARE, SEALED = unencrypted(KEY), encrypted(KEY)
PUBLIC, OTHER_PUBLIC = (PublicKey.from_cryptography(each.public_key()).to_pem() for each in (KEY, OTHER_KEY))


@pytest.mark.peer("openssl")
def test_a_file_of_openssl_genpkey_opens_and_signs(tmp_path: Path) -> None:
    pem = openssl("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", f"pass:{PASS}")
    with create_signer(options(write_private(tmp_path / "key.pem", pem))) as signer:
        assert signer.public_key == public_key_by_openssl(pem)
        signer.public_key.verify(signer.sign(MESSAGE), MESSAGE)


@pytest.mark.peer("openssl")
@pytest.mark.parametrize(
    "how",
    [
        ["-v2", "aes-256-cbc", "-iter", "1000000"],
        ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"],
        ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"],
        ["-v2", "des3"],
        ["-scrypt"],
        ["-scrypt", "-scrypt_N", "8192", "-scrypt_r", "8", "-scrypt_p", "10"],
        ["-v1", "PBE-SHA1-3DES"],
    ],
    ids=" ".join,
)
def test_openssl_s_other_encryptions_open(how: list[str], tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", encrypted_by_openssl(BARE, *how))
    assert create_signer(options(path)).public_key == PUBLIC_KEY


@pytest.mark.peer("openssl")
@pytest.mark.parametrize(
    ("how", "weakness"),
    [
        (["-v2", "aes-256-cbc"], ["its PBKDF2 has only 2048 rounds"]),
        (["-v2", "aes-256-cbc", "-iter", "600000"], []),
        (["-scrypt"], ["its scrypt costs only N=16384, r=8, p=1"]),
        (["-v1", "PBE-SHA1-3DES"], ["its encryption is older than PBES2"]),
    ],
)
def test_a_passphrase_that_is_stretched_too_little_is_a_warning(
    how: list[str], weakness: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_private(tmp_path / "key.pem", encrypted_by_openssl(BARE, *how))
    path.write_bytes(path.read_bytes() + PUBLIC)
    create_signer(options(path)).close()
    assert caplog.messages == [f"{path}: {each}; encrypt it anew with: signer file passwd" for each in weakness]


def test_a_file_that_could_have_been_altered_unnoticed_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_private(tmp_path / "key.pem", encrypt(KEY, PASSPHRASE))
    create_signer(options(path)).close()
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("signer_file", logging.WARNING)
    assert record.message == (
        f"{path}: nothing in the file tells whether it was altered; "
        "`signer file passwd` adds the public key, or set expected_address"
    )


def test_a_file_with_its_public_key_tells_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    create_signer(options(write_private(tmp_path / "key.pem", seal(KEY, PASSPHRASE)))).close()
    assert caplog.messages == []


@pytest.mark.peer("openssl")
def test_a_new_file_is_read_by_openssl(tmp_path: Path) -> None:
    with init_signer(options(tmp_path, format="pkcs8")) as signer:
        pem = (tmp_path / "signer.pem").read_bytes()
        assert public_key_by_openssl(pem) == signer.public_key
        signature = signer.sign(MESSAGE)
    (tmp_path / "message").write_bytes(MESSAGE)
    by_openssl = openssl(
        "pkeyutl", "-sign", "-rawin", "-in", str(tmp_path / "message"), "-passin", f"pass:{PASS}",
        "-inkey", str(tmp_path / "signer.pem"),
    )  # fmt: skip
    assert by_openssl == signature


@pytest.mark.peer("openssl")
def test_a_new_file_is_encrypted_with_scrypt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    init_signer(options(tmp_path, format="pkcs8")).close()
    described = openssl("asn1parse", "-in", str(tmp_path / "signer.pem"))
    assert [name for name in (b"PBES2", b"1.3.6.1.4.1.11591.4.11", b"scrypt", b"aes-256-cbc") if name in described] == [
        b"PBES2",
        b"scrypt" if b"scrypt" in described else b"1.3.6.1.4.1.11591.4.11",
        b"aes-256-cbc",
    ]
    create_signer(options(tmp_path)).close()
    assert caplog.records == []


def test_a_new_file_shows_its_public_key_without_the_passphrase(tmp_path: Path) -> None:
    with init_signer(options(tmp_path, format="pkcs8")) as signer:
        assert (tmp_path / "signer.pem").read_bytes().endswith(signer.public_key.to_pem())


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), passphrase=st.binary(min_size=1, max_size=1023))
def test_any_seed_and_passphrase_round_trip(seed: bytes, passphrase: bytes) -> None:
    sealed = seal(Ed25519PrivateKey.from_private_bytes(seed), passphrase)
    assert PrivateKeyPem.parse(sealed).open(passphrase).private_bytes_raw() == seed


def test_the_longest_passphrase_of_openssl_s_works(tmp_path: Path) -> None:
    with init_signer(options(tmp_path, b"p" * 1023, format="pkcs8")) as made:
        assert create_signer(options(tmp_path, b"p" * 1023)).public_key == made.public_key


def test_a_passphrase_that_openssl_could_not_read_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1024 bytes, where a PEM file can have 1023; use a shorter one"):
        init_signer(options(tmp_path / "new", b"p" * 1024, format="pkcs8"))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("passphrase", [b"open sesame", b"p" * 5000])
def test_a_wrong_passphrase_is_told_without_repeating_it(passphrase: bytes, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", SEALED)
    with pytest.raises(WrongPassphraseError) as caught:
        create_signer(options(path, passphrase))
    assert passphrase.decode() not in str(caught.value)


def test_a_wrong_passphrase_is_told_as_such() -> None:
    """With one in some hundred, what comes out looks like a key: so there are several."""
    told = set()
    for number in range(8):
        with pytest.raises(WrongPassphraseError) as caught:
            PrivateKeyPem.parse(SEALED).open(b"wrong %d" % number)
        told.add(caught.value.message)
    assert "the passphrase is wrong, or the file was changed" in told


def test_what_is_encrypted_and_no_key_is_told() -> None:
    sealed = PrivateKeyPem.parse(pem("ENCRYPTED PRIVATE KEY", pbes2.encrypt(b"\x30\x00", PASSPHRASE)))
    with pytest.raises(WrongPassphraseError) as caught:
        sealed.open(PASSPHRASE)
    assert caught.value.message == (
        "the passphrase is wrong, the file was changed, or its key is in a form that is not supported"
    )
    assert str(caught.value.remedy).startswith("check the passphrase; a key for ML-DSA must be there as its seed")


def test_an_unencrypted_file_is_refused(tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", BARE)
    with pytest.raises(ConfigError, match=r"is not encrypted; .*allow_unencrypted = true"):
        create_signer(options(path))


def test_an_unencrypted_file_opens_where_the_configuration_allows_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_private(tmp_path / "key.pem", BARE)
    assert create_signer(options(path, None, allow_unencrypted=True)).public_key == PUBLIC_KEY
    assert caplog.records == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_an_unencrypted_file_that_others_can_get_at_is_refused_all_the_same(mode: int, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", BARE)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=rf"not only its owner .*; chmod 600 {path}"):
        create_signer(options(path, None, allow_unencrypted=True))


def test_a_passphrase_that_protects_nothing_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_private(tmp_path / "key.pem", BARE)
    create_signer(options(path, allow_unencrypted=True)).close()
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("signer_file", logging.WARNING)
    assert record.message == (
        f"{path} is not encrypted, so the passphrase protects nothing; encrypt it anew with: signer file passwd"
    )


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP224R1()),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=["rsa", "ec", "ed448", "x25519"],
)
def test_a_key_for_none_of_the_algorithms_is_told(key: PrivateKeyTypes, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", encrypted(key))
    with pytest.raises(UnsupportedAlgorithmError, match=f"{path}: .*; use ") as caught:
        create_signer(options(path))
    assert ("of 1024 bits" in str(caught.value)) is isinstance(key, rsa.RSAPrivateKey)


@pytest.mark.parametrize("label", ["RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"])
def test_a_key_in_an_older_form_is_told(label: str, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n".encode())
    with pytest.raises(KeyFormatError, match="older than PKCS#8; take it in with: signer file import"):
        create_signer(options(path))


def test_what_is_encrypted_in_a_way_that_nobody_knows_is_told(tmp_path: Path) -> None:
    # the last arc of aes256-CBC, 42, made 49
    der = base64.b64decode(b"".join(SEALED.splitlines()[1:-1])).replace(
        bytes.fromhex("60864801650304012a"), bytes.fromhex("608648016503040131")
    )
    path = write_private(tmp_path / "key.pem", pem("ENCRYPTED PRIVATE KEY", der))
    with pytest.raises(UnsupportedAlgorithmError, match="in an unsupported way"):
        create_signer(options(path))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", '"ENCRYPTED PRIVATE KEY"; other forms of keys are taken in with: signer file import'),
        (b"{}", "exactly one PEM block"),
        (SEALED[:-1].rstrip(b"-"), "exactly one PEM block"),
        (SEALED[: len(SEALED) // 2], "exactly one PEM block"),
        (SEALED + SEALED, "exactly one PEM block"),
        (SEALED + BARE, "exactly one PEM block"),
        (SEALED + SEALED[:40], "exactly one PEM block"),
        (PUBLIC, "exactly one PEM block"),
        (SEALED + PUBLIC + PUBLIC, "exactly one PEM block"),
        (SEALED + PUBLIC.replace(b"PUBLIC KEY", b"SOMETHING"), "exactly one PEM block"),
        (SEALED.replace(b"MI", b"%%", 1), "not valid base64"),
        (SEALED.replace(b"MI", b"M", 1), "not valid base64"),
        (pem("ENCRYPTED PRIVATE KEY", b""), "damaged"),
        (pem("ENCRYPTED PRIVATE KEY", b"\x30\x00"), "damaged"),
        (pem("ENCRYPTED PRIVATE KEY", b"\x30\x80" * 3000), "damaged"),
        (SEALED + OTHER_PUBLIC, "does not belong to its public key"),
        (SEALED + pem("PUBLIC KEY", b"\0"), "does not belong to its public key"),
    ],
)
def test_what_is_not_one_private_key_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", content)
    with pytest.raises(KeyFormatError, match=problem):
        create_signer(options(path))


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"\x30\x80" * 3000])
def test_an_unencrypted_private_key_that_is_none_is_refused(der: bytes, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", pem("PRIVATE KEY", der))
    with pytest.raises(KeyFormatError, match="its private key is damaged"):
        create_signer(options(path, None, allow_unencrypted=True))


def test_text_around_the_key_and_its_public_key_beside_it_are_welcome(tmp_path: Path) -> None:
    content = b"Bag Attributes\r\n    friendlyName: sequencer\r\n" + SEALED.replace(b"\n", b"\r\n") + PUBLIC
    path = write_private(tmp_path / "key.pem", content)
    assert create_signer(options(path)).public_key == PUBLIC_KEY


def test_no_flipped_bit_gives_another_key() -> None:
    """Every bit, of a file without a costly derivation, but with the public key that files written here have."""
    content, right = SEALED + PUBLIC, PrivateKeyPem.parse(SEALED).open(PASSPHRASE)
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            opened = PrivateKeyPem.parse(bytes(flipped)).open(PASSPHRASE)
        except SignerError:
            continue
        assert opened.private_bytes_raw() == right.private_bytes_raw(), f"bit {bit}"


@settings(max_examples=100, deadline=None)
@given(content=st.binary() | st.binary().map(lambda der: pem("ENCRYPTED PRIVATE KEY", der)))
def test_any_bytes_are_a_key_file_or_a_key_format_error(content: bytes) -> None:
    with pytest.raises(KeyFormatError):
        PrivateKeyPem.parse(content)


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body).to_bytes(1 if len(body) < 256 else 2)
    return bytes([tag]) + (size if len(body) < 128 else bytes([0x80 + len(size)]) + size) + body


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    return asn1.encode_der(ObjectIdentifier(dotted))


SALT = tlv(4, b"salt" * 4)
AES = tlv(0x30, oid("2.16.840.1.101.3.4.1.42"), tlv(4, bytes(16)))
PBKDF2, SCRYPT = oid("1.2.840.113549.1.5.12"), oid("1.3.6.1.4.1.11591.4.11")


def with_derivation(derivation: bytes, *parameters: bytes) -> bytes:
    chosen = tlv(0x30, tlv(0x30, derivation, tlv(0x30, *parameters)), AES)
    return pem("ENCRYPTED PRIVATE KEY", tlv(0x30, tlv(0x30, oid("1.2.840.113549.1.5.13"), chosen), tlv(4, bytes(64))))


def test_the_parameters_of_scrypt_are_all_written() -> None:
    der = base64.b64decode(b"".join(encrypt(KEY, PASSPHRASE).splitlines()[1:-1]))
    _, _, after = der.partition(SCRYPT)
    parameters = integer(2**14) + integer(8) + integer(5) + integer(32)
    assert after[4 + 16 :].startswith(parameters), "after the heads of sequence and salt, and the salt"


def with_old_scheme(rounds: int) -> bytes:
    scheme = tlv(0x30, oid("1.2.840.113549.1.12.1.3"), tlv(0x30, SALT, integer(rounds)))
    return pem("ENCRYPTED PRIVATE KEY", tlv(0x30, scheme, tlv(4, bytes(64))))


def with_scrypt(n: int, r: int, p: int, *more: bytes) -> bytes:
    return with_derivation(SCRYPT, SALT, integer(n), integer(r), integer(p), *more)


@pytest.mark.parametrize(
    ("content", "weakness"),
    [
        (with_scrypt(2**14, 8, 5), None),
        (with_scrypt(2**13, 8, 10), None),
        (with_scrypt(2**13, 8, 9), "its scrypt costs only N=8192, r=8, p=9"),
        (with_scrypt(0, 0, 0), "its scrypt costs only N=0, r=0, p=0"),
        (with_scrypt(2**20, 8, 0), None),
        (with_scrypt(2**20, 0, 1), None),
        (with_scrypt(0, 2**11, 2**11), None),
        (with_scrypt(2**20, 8, 1), None),
        (with_scrypt(2**20, 1, 8), None),
        (with_scrypt(1, 2**20, 8), None),
        (with_derivation(PBKDF2, SALT, integer(600_000)), None),
        (with_derivation(PBKDF2, SALT, integer(599_999)), "its PBKDF2 has only 599999 rounds"),
        (with_derivation(PBKDF2, SALT, integer(10_000_000)), None),
        (with_derivation(oid("1.2.3"), SALT), None),
        (with_old_scheme(10_000_000), "its encryption is older than PBES2"),
    ],
)
def test_a_passphrase_is_stretched_enough_or_not(content: bytes, weakness: str | None) -> None:
    assert PrivateKeyPem.parse(content).weakness == weakness


@pytest.mark.parametrize(
    ("content", "rounds", "plenty"),
    [
        (with_derivation(PBKDF2, SALT, integer(10_000_001)), 10_000_001, 10_000_000),
        (with_derivation(PBKDF2, SALT, integer(2**31 - 1), integer(32)), 2**31 - 1, 10_000_000),
        (with_derivation(PBKDF2, SALT, integer(2**4000)), 2**4000, 10_000_000),
        (with_scrypt(2**20, 8, 2), 2**24, 2**23),
        (with_scrypt(2**14, 8, 2**20), 2**37, 2**23),
        (with_scrypt(2, 2**29, 1, integer(32)), 2**30, 2**23),
        (with_old_scheme(10_000_001), 10_000_001, 10_000_000),
    ],
    ids=range(7),
)
def test_a_file_that_would_keep_the_machine_busy_is_refused_at_once(
    content: bytes, rounds: int, plenty: int, tmp_path: Path
) -> None:
    path = write_private(tmp_path / "key.pem", content)
    told = f": its key derivation would take {rounds} rounds, where {plenty} are plenty$"
    with pytest.raises(KeyFormatError, match=told):
        create_signer(options(path))


@pytest.mark.parametrize(
    "content",
    [
        with_derivation(PBKDF2, tlv(4)),
        with_derivation(PBKDF2, integer(1)),
        with_derivation(PBKDF2, SALT, SALT),
        with_derivation(SCRYPT, SALT, integer(2)),
    ],
)
def test_a_derivation_without_its_parameters_is_refused(content: bytes, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", content)
    with pytest.raises(KeyFormatError, match="damaged"):
        create_signer(options(path))


@pytest.mark.parametrize(
    "content",
    [
        with_derivation(PBKDF2, SALT, integer(0)),
        with_derivation(PBKDF2, SALT, tlv(2, b"\xff")),
        with_derivation(PBKDF2, tlv(4), integer(1), integer(2**70)),
        with_derivation(SCRYPT, SALT, integer(0), integer(0), integer(0)),
        with_derivation(SCRYPT, SALT, integer(3), integer(1), integer(1)),
        with_derivation(SCRYPT, SALT, tlv(2, b"\xff"), integer(8), integer(1)),
        with_derivation(oid("1.2.3"), SALT),
        with_old_scheme(0),
        with_old_scheme(1),
    ],
)
def test_parameters_that_make_no_sense_are_an_error_of_ours(content: bytes, tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", content)
    with pytest.raises((KeyFormatError, WrongPassphraseError, UnsupportedAlgorithmError)):
        create_signer(options(path))


@pytest.mark.parametrize("write", [unencrypted, encrypted])
def test_an_rsa_key_that_is_too_long_is_refused_before_it_is_checked(
    write: Callable[[PrivateKeyTypes], bytes], tmp_path: Path
) -> None:
    """To find that its primes are none would take long, and minutes if they were some."""
    p, q, e = 2**8200 + 3, 2**8200 + 9, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    content = write(numbers.private_key(unsafe_skip_rsa_key_validation=True))
    path = write_private(tmp_path / "signer.pem", content)
    with pytest.raises(
        UnsupportedAlgorithmError, match=r"signer\.pem: this is an RSA key of 16401 bits; use one of 2048"
    ):
        create_signer(options(path, allow_unencrypted=True))


def test_the_numbers_of_an_rsa_key_are_checked(tmp_path: Path) -> None:
    p, q, e = 2**1024 + 3, 2**1024 + 9, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    content = unencrypted(numbers.private_key(unsafe_skip_rsa_key_validation=True))
    path = write_private(tmp_path / "signer.pem", content)
    with pytest.raises(KeyFormatError, match="its private key is damaged"):
        create_signer(options(path, allow_unencrypted=True))
