"""Keys for every algorithm in files: made, opened, imported, exported; openssl and ssh-keygen are on the other side."""

import base64
import hashlib
import subprocess
from base64 import encodebytes
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from signer_core import Algorithm, PublicKey, Signer, create_signer, init_signer
from signer_core.algorithms import FACTS
from signer_core.cli import main
from signer_core.errors import (
    ConfigError,
    KeyFormatError,
    KeyMismatchError,
    UnsupportedAlgorithmError,
    WrongPassphraseError,
)
from signer_file import pbes2
from signer_file.pkcs8 import encrypt, seal
from tests.strategies import private_key

from .keys import MESSAGE, PASSPHRASE, names_in, options, write_private

pytestmark = pytest.mark.usefixtures("quick_passphrases")

PASS = f"pass:{PASSPHRASE.decode()}"
EC = [each for each in Algorithm if each.startswith("ecdsa")]
RSA = [each for each in Algorithm if each.startswith("rsa")]
ML_DSA = [each for each in Algorithm if each.startswith("ml-dsa")]

CURVES = {"p256": "P-256", "p384": "P-384", "p521": "P-521", "secp256k1": "secp256k1"}


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True, timeout=60)
    return done.stdout


def of_openssl() -> list[Algorithm]:
    """What the installed openssl signs with: ML-DSA from 3.5."""
    try:
        known = openssl("list", "-signature-algorithms").upper()
    except FileNotFoundError:
        known = b""
    return [each for each in Algorithm if each not in ML_DSA or each.upper().encode() in known]


def genpkey(algorithm: Algorithm) -> bytes:
    """A new key by openssl, encrypted."""
    if algorithm in EC:
        how = ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{CURVES[algorithm.split('-')[1]]}"]
    elif algorithm in RSA:
        how = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    elif algorithm in ML_DSA:
        how = ["-algorithm", algorithm.upper(), "-provparam", "ml-dsa.output_formats=seed-only"]
    else:
        how = ["-algorithm", algorithm]
    return openssl("genpkey", *how, "-aes256", "-pass", PASS)


def dgst(algorithm: Algorithm) -> list[str]:
    """How openssl is told of an algorithm that signs a hash."""
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    return ["dgst", f"-{FACTS[algorithm].scheme.hash_name}", *(pss if "pss" in algorithm else [])]


def verified_by_openssl(public_key: PublicKey, signature: bytes, folder: Path) -> bool:
    for name, content in (("key", public_key.to_pem()), ("signature", signature), ("message", MESSAGE)):
        (folder / name).write_bytes(content)
    key, sig, message = (str(folder / name) for name in ("key", "signature", "message"))
    if FACTS[public_key.algorithm].scheme.hash_name is None:
        shown = openssl("pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", message, "-sigfile", sig)
    else:
        shown = openssl(*dgst(public_key.algorithm), "-verify", key, "-signature", sig, message)
    return b"Verified" in shown


def opened(path: Path, algorithm: Algorithm | None = None) -> Signer:
    more: dict[str, Any] = {} if algorithm is None else {"algorithm": algorithm}
    return create_signer(options(path, **more))


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_new_key_for_every_algorithm_is_made_and_opened_again(algorithm: Algorithm, tmp_path: Path) -> None:
    with init_signer(options(tmp_path / "keys", algorithm=algorithm, rsa_bits=2048)) as made:
        assert made.algorithm is algorithm
        made.public_key.verify(made.sign(MESSAGE), MESSAGE)
    ed25519 = algorithm is Algorithm.ED25519
    assert names_in(tmp_path / "keys") == ["signer.json" if ed25519 else "signer.pem"]
    with opened(tmp_path / "keys", algorithm) as again:
        assert again.public_key == made.public_key
        made.public_key.verify(again.sign(MESSAGE), MESSAGE)


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("algorithm", of_openssl())
def test_a_key_of_openssl_opens_and_openssl_verifies_what_it_signs(algorithm: Algorithm, tmp_path: Path) -> None:
    pem = genpkey(algorithm)
    with opened(write_private(tmp_path / "key.pem", pem), algorithm) as signer:
        assert signer.public_key.to_pem() == openssl("pkey", "-pubout", "-passin", PASS, given=pem)
        assert verified_by_openssl(signer.public_key, signer.sign(MESSAGE), tmp_path)


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("algorithm", [*EC, Algorithm.RSA_PSS_SHA256, Algorithm.RSA_PKCS1V15_SHA512])
def test_what_openssl_signs_with_a_key_of_ours_verifies(algorithm: Algorithm, tmp_path: Path) -> None:
    with init_signer(options(tmp_path / "key.pem", algorithm=algorithm, rsa_bits=2048)) as signer:
        sign = ["-sign", str(tmp_path / "key.pem"), "-passin", PASS]
        signer.public_key.verify(openssl(*dgst(algorithm), *sign, given=MESSAGE), MESSAGE)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_size_of_a_new_rsa_key(bits: int, tmp_path: Path) -> None:
    with init_signer(options(tmp_path, algorithm="rsa-pss-sha256", rsa_bits=bits)) as signer:
        assert signer.public_key.to_cryptography().key_size == bits


def test_new_rsa_key_has_3072_bits_unless_said_otherwise(tmp_path: Path) -> None:
    with init_signer(options(tmp_path, algorithm="rsa-pkcs1v15-sha256")) as signer:
        assert signer.public_key.to_cryptography().key_size == 3072


@pytest.mark.parametrize("bits", [1024, 2047, 8192])
def test_other_sizes_are_refused(bits: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"option 'rsa_bits'.*write one of: 2048, 3072, 4096"):
        init_signer(options(tmp_path, algorithm="rsa-pss-sha256", rsa_bits=bits))


@pytest.fixture
def rsa_file(tmp_path: Path) -> Path:
    return write_private(tmp_path / "key.pem", seal(private_key(Algorithm.RSA_PSS_SHA256), PASSPHRASE))


@pytest.mark.parametrize("algorithm", RSA)
def test_an_rsa_key_is_for_what_is_configured(algorithm: Algorithm, rsa_file: Path) -> None:
    with opened(rsa_file, algorithm) as signer:
        assert signer.algorithm is algorithm
        signer.public_key.verify(signer.sign(MESSAGE), MESSAGE)


def test_an_rsa_key_is_for_pss_with_sha_256_otherwise(rsa_file: Path) -> None:
    assert opened(rsa_file).algorithm is Algorithm.RSA_PSS_SHA256


def test_an_rsa_key_is_pinned_by_its_der(rsa_file: Path) -> None:
    with opened(rsa_file) as signer:
        der = signer.public_key.to_der().hex()
    create_signer(options(rsa_file, expected_public_key=der)).close()
    with pytest.raises(KeyMismatchError, match="a key that has none, to be pinned by expected_public_key"):
        create_signer(options(rsa_file, expected_address="00" * 32))


def test_a_key_that_does_not_serve_the_configured_algorithm_is_told(rsa_file: Path) -> None:
    message = f"{rsa_file}: an RSA key does not serve ed25519; it serves: {', '.join(RSA)}"
    for open_it in (create_signer, init_signer):
        with pytest.raises(UnsupportedAlgorithmError) as caught:
            open_it(options(rsa_file, algorithm="ed25519"))
        assert str(caught.value) == message


@pytest.mark.parametrize("algorithm", [each for each in Algorithm if each is not Algorithm.ED25519])
def test_ev_node_s_format_holds_ed25519_only_and_says_so(algorithm: Algorithm, tmp_path: Path) -> None:
    there = {"keys/signer.json": options(tmp_path / "keys", format="evnode"), "x.json": options(tmp_path / "x.json")}
    for name, config in there.items():
        told = f"^{tmp_path / name} would be in .*holds Ed25519 keys only, and not one for {algorithm}; use the format"
        with pytest.raises(ConfigError, match=told):
            init_signer({**config, "algorithm": algorithm})
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PSS_SHA256, Algorithm.ML_DSA_44])
def test_a_private_key_beside_another_public_key_is_refused(algorithm: Algorithm, tmp_path: Path) -> None:
    other = PublicKey.from_cryptography(private_key(algorithm, 2).public_key()).to_pem()
    path = write_private(tmp_path / "key.pem", encrypt(private_key(algorithm), PASSPHRASE) + other)
    with pytest.raises(KeyFormatError, match="its private key does not belong to its public key"):
        opened(path)


#: RFC 9881, section 6: the form "expandedKey" of ML-DSA-44, here of zeros.
EXPANDED = bytes.fromhex("30820a18020100300b060960864801650304031104820a0404820a00") + bytes(2560)


def test_an_ml_dsa_key_without_its_seed_is_told(tmp_path: Path) -> None:
    pem = b"-----BEGIN PRIVATE KEY-----\n%s-----END PRIVATE KEY-----\n"
    path = write_private(tmp_path / "key.pem", pem % encodebytes(EXPANDED))
    with pytest.raises(
        KeyFormatError, match="in a form that is not supported; a key for ML-DSA must be there as its seed: openssl"
    ):
        create_signer(options(path, None, allow_unencrypted=True))


@pytest.mark.parametrize("parameters", [44, 65, 87])
@pytest.mark.parametrize("other", [False, True])
def test_import_of_an_ml_dsa_key_with_seed_and_expanded_key(parameters: int, other: bool, tmp_path: Path) -> None:
    algorithm = Algorithm(f"ml-dsa-{parameters}")
    key = private_key(algorithm)
    raw = private_key(algorithm, 2 if other else 1).public_key().public_bytes_raw()
    # FIPS 204, algorithm 24: ρ, K, tr, and what nobody reads here
    expanded = raw[:32] + bytes(32) + hashlib.shake_256(raw).digest(64) + bytes(2560 - 128)
    both = der(0x30, der(4, key.private_bytes_raw()), der(4, expanded))
    identifier = der(0x30, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())[7:18])
    info = der(0x30, der(2, b"\0"), identifier, der(4, both))
    write_private(tmp_path / "both", b"-----BEGIN PRIVATE KEY-----\n%s-----END PRIVATE KEY-----\n" % encodebytes(info))
    result = run("import", "both")
    if other:
        assert result.stderr == "error: both: its seed does not belong to the expanded key beside it\n"
    else:
        with opened(tmp_path / "keys") as signer:
            assert signer.public_key == PublicKey.from_cryptography(key.public_key())


def der(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    return bytes((tag, *((size,) if size < 0x80 else (0x82, size >> 8, size & 0xFF)))) + content


def test_the_passphrase_of_an_ml_dsa_key_without_its_seed_is_not_blamed_alone(tmp_path: Path) -> None:
    pem = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n%s-----END ENCRYPTED PRIVATE KEY-----\n"
    path = write_private(tmp_path / "key.pem", pem % encodebytes(pbes2.encrypt(EXPANDED, PASSPHRASE)))
    with pytest.raises(WrongPassphraseError, match="a key for ML-DSA must be there as its seed: openssl pkey"):
        opened(path)


def run(*arguments: str | Path, **more: Any) -> Result:
    """``signer file …`` on the key "keys", or another one, under an environment that holds the passphrase."""
    settings = {"path": "keys", "passphrase": "env:PASSPHRASE", **more}
    assignments = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    command = ["--backend", "file", *assignments, "file", *(str(each) for each in arguments)]
    return CliRunner().invoke(main, command)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSPHRASE", PASSPHRASE.decode())


@pytest.mark.parametrize("algorithm", [each for each in Algorithm if each not in RSA])
def test_import_of_a_private_key_in_hex_prints_its_address(algorithm: Algorithm, tmp_path: Path) -> None:
    key_type, key = FACTS[algorithm].key_type, private_key(algorithm, 2**200 + 7)
    write_private(tmp_path / "source", b"0x" + key_type.to_private_bytes(key).hex().encode() + b"\n")
    result = run("import", "source", algorithm=algorithm)
    public_key = PublicKey.from_cryptography(key.public_key())
    assert (result.exit_code, result.stdout) == (0, f"{public_key.address.hex()}\n")
    assert opened(tmp_path / "keys").public_key == public_key


@pytest.mark.parametrize(
    ("algorithm", "digits", "problem"),
    [
        ("ecdsa-p384-sha384", "01" * 32, "a private key for ecdsa-p384-sha384 in hex has 96 digits, not 64"),
        ("ecdsa-secp256k1-sha256", "00" * 32, "this is no private key for ecdsa-secp256k1-sha256"),
        ("ecdsa-secp256k1-sha256", "ff" * 32, "this is no private key for ecdsa-secp256k1-sha256"),
        ("ecdsa-secp256k1-sha256", "1" * 63, "has 64 digits, not 63"),
        ("rsa-pss-sha256", "01" * 32, "a private key for rsa-pss-sha256 in hex has no digits, not 64"),
    ],
)
def test_import_of_what_is_no_private_key_in_hex(algorithm: str, digits: str, problem: str, tmp_path: Path) -> None:
    write_private(tmp_path / "source", digits.encode())
    result = run("import", "source", algorithm=algorithm)
    assert result.stderr.startswith("error: source: ")
    assert problem in result.stderr
    assert digits not in result.stderr
    assert names_in(tmp_path) == ["source"]


@pytest.mark.peer("ssh-keygen")
@pytest.mark.parametrize(
    ("arguments", "algorithm"),
    [
        (["ecdsa", "-b", "256"], "ecdsa-p256-sha256"),
        (["ecdsa", "-b", "384"], "ecdsa-p384-sha384"),
        (["ecdsa", "-b", "521"], "ecdsa-p521-sha512"),
        (["rsa", "-b", "2048"], "rsa-pss-sha256"),
    ],
)
def test_import_of_a_key_of_ssh_keygen(arguments: list[str], algorithm: str, tmp_path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", *arguments, "-a", "1", "-N", "", "-f", str(tmp_path / "id")]
    subprocess.run(command, check=True, timeout=60)
    assert run("import", "id").exit_code == 0
    with opened(tmp_path / "keys") as signer:
        assert signer.algorithm == algorithm
        assert (tmp_path / "id.pub").read_bytes().startswith(signer.public_key.to_openssh())


#: How openssl makes keys in the forms that are older than PKCS#8.
TRADITIONAL = [
    ["ecparam", "-name", "prime256v1", "-genkey"],
    ["ecparam", "-name", "secp256k1", "-genkey", "-noout"],
    ["genrsa", "-traditional", "2048"],
]


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("command", TRADITIONAL)
@pytest.mark.parametrize("encryption", [[], ["-aes128"], ["-des3"]])
def test_import_of_a_traditional_key_of_openssl(command: list[str], encryption: list[str], tmp_path: Path) -> None:
    pem = openssl(*command)
    public = openssl("pkey", "-pubout", given=pem)
    if encryption:
        kind = ["rsa", "-traditional"] if "genrsa" in command else ["ec"]
        pem = openssl(*kind, *encryption, "-passout", PASS, given=pem)
    result = run("import", write_private(tmp_path / "old", pem), "--source-passphrase", "env:PASSPHRASE")
    assert (result.exit_code, "without protection" in result.stderr) == (0, not encryption)
    with opened(tmp_path / "keys") as signer:
        assert signer.public_key.to_pem() == public


@pytest.mark.peer("openssl")
def test_a_traditional_key_is_no_key_file_but_can_be_imported_into_its_own_place(tmp_path: Path) -> None:
    path = write_private(tmp_path / "key.pem", openssl("genrsa", "-traditional", "2048"))
    with pytest.raises(KeyFormatError, match=r"older than PKCS#8; take it in with: signer file import"):
        opened(path)
    assert run("import", path, "--force", path=path).exit_code == 0
    opened(path).close()


@pytest.mark.peer("openssl")
def test_import_of_a_damaged_traditional_key(tmp_path: Path) -> None:
    pem = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    encrypted = openssl("ec", "-aes128", "-passout", "pass:another", given=pem)
    unknown = encrypted.replace(b"AES-128-CBC", b"RC9-128-CBC")
    sources = [
        (pem + pem, "source: it does not hold exactly one private key"),
        (pem.replace(b"\nM", b"\nA", 1), "source: its private key is damaged, or in a form that is not supported"),
        (encrypted, "source: the passphrase is wrong, "),
        (unknown, "source: it is encrypted, or holds a key, in an unsupported way"),
    ]
    for source, problem in sources:
        write_private(tmp_path / "source", source)
        result = run("import", "source", "--source-passphrase", "env:PASSPHRASE")
        assert (result.exit_code, names_in(tmp_path)) == (1, ["source"])
        assert result.stderr.startswith(f"error: {problem}")


@pytest.mark.peer("openssl")
def test_import_of_der_says_how_it_becomes_pem(tmp_path: Path) -> None:
    der = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", given=openssl("genpkey", "-algorithm", "ed25519"))
    write_private(tmp_path / "source", der)
    result = run("import", "source")
    assert result.stderr == (
        "error: source: this is a private key in DER, or something else in ASN.1\n"
        "remedy: write it as PEM with: openssl pkey -inform DER\n"
    )


def test_import_of_a_key_of_openssh_with_its_point_in_another_form(tmp_path: Path) -> None:
    key = private_key(Algorithm.ECDSA_P256_SHA256)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    first, *body, last = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).splitlines()
    other = base64.b64decode(b"".join(body)).replace(point, b"\3" + point[1:])
    write_private(tmp_path / "id", b"\n".join([first, base64.b64encode(other), last]))
    assert run("import", "id").stderr == "error: id: the OpenSSH private key is damaged\n"


def test_import_of_a_key_of_openssh_that_would_take_forever_to_decrypt(tmp_path: Path) -> None:
    encryption = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1).build(PASSPHRASE)
    pem = private_key(Algorithm.ED25519).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption)
    first, *body, last = pem.splitlines()
    rounds = len(b"openssh-key-v1\0") + 4 + len("aes256-ctr") + 4 + len("bcrypt") + 4 + 4 + 16
    decoded = bytearray(base64.b64decode(b"".join(body)))
    assert decoded[rounds : rounds + 4] == (1).to_bytes(4, "big")
    decoded[rounds : rounds + 4] = (2**32 - 1).to_bytes(4, "big")
    write_private(tmp_path / "id", b"\n".join([first, base64.b64encode(decoded), last]))
    result = run("import", "id", "--source-passphrase", "env:PASSPHRASE")
    assert result.stderr == (
        "error: id: its key derivation would take 4294967295 rounds, where 4096 are plenty\n"
        "remedy: encrypt it anew with: ssh-keygen -p -a 100\n"
    )


def test_import_of_an_rsa_key_prints_its_fingerprint(rsa_file: Path, tmp_path: Path) -> None:
    result = run("import", rsa_file, "--source-passphrase", "env:PASSPHRASE", algorithm="rsa-pkcs1v15-sha512")
    with opened(tmp_path / "keys", Algorithm.RSA_PKCS1V15_SHA512) as signer:
        assert result.stdout == f"{signer.public_key.fingerprint}\n"
        assert hashlib.sha256(signer.public_key.to_der()).hexdigest() == signer.public_key.fingerprint


def test_import_of_a_key_that_does_not_serve_the_configured_algorithm(rsa_file: Path, tmp_path: Path) -> None:
    result = run("import", rsa_file, "--source-passphrase", "env:PASSPHRASE", algorithm="ml-dsa-65")
    assert result.stderr.startswith(f"error: {rsa_file}: an RSA key does not serve ml-dsa-65\n")
    assert names_in(tmp_path) == ["key.pem"]


def test_import_does_not_put_an_rsa_key_into_ev_node_s_format(rsa_file: Path, tmp_path: Path) -> None:
    for more in ({"format": "evnode"}, {"path": "other.json"}):
        result = run("import", rsa_file, "--source-passphrase", "env:PASSPHRASE", **more)
        assert "which holds Ed25519 keys only" in result.stderr
    init_signer(options(tmp_path / "there.json")).close()
    before = (tmp_path / "there.json").read_bytes()
    result = run("import", rsa_file, "--force", "--source-passphrase", "env:PASSPHRASE", path="there.json")
    assert "which holds Ed25519 keys only" in result.stderr
    assert (tmp_path / "there.json").read_bytes() == before
    assert names_in(tmp_path) == ["key.pem", "there.json"]


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_SECP256K1_SHA256, Algorithm.RSA_PSS_SHA256, Algorithm.ML_DSA_65])
def test_export_and_passwd_keep_the_key(algorithm: Algorithm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW", "another passphrase")
    with init_signer(options(tmp_path / "keys", algorithm=algorithm)) as signer:
        expected = signer.public_key
    exported = run("export", "--new-passphrase", "env:NEW").stdout_bytes
    assert PublicKey.from_cryptography(load_pem_private_key(exported, b"another passphrase").public_key()) == expected
    assert run("passwd", "--new-passphrase", "env:NEW").exit_code == 0
    with create_signer(options(tmp_path / "keys", b"another passphrase")) as again:
        assert again.public_key == expected


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_SECP256K1_SHA256, Algorithm.RSA_PSS_SHA256])
def test_openssl_reads_what_export_writes(algorithm: Algorithm, tmp_path: Path) -> None:
    with init_signer(options(tmp_path / "keys", algorithm=algorithm)) as signer:
        shown = openssl("pkey", "-passin", PASS, "-pubout", given=run("export").stdout_bytes)
        assert shown == signer.public_key.to_pem()


def test_export_of_the_bare_key(tmp_path: Path) -> None:
    algorithm = Algorithm.ECDSA_P521_SHA512
    write_private(tmp_path / "key.pem", seal(private_key(algorithm, 7), PASSPHRASE))
    assert run("export", "--unencrypted-hex", path="key.pem").stdout == "00" * 65 + "07\n"


def test_export_of_a_bare_rsa_key_is_refused(rsa_file: Path) -> None:
    result = run("export", "--unencrypted-hex", path=rsa_file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: an RSA key has no raw private form\nremedy: use PKCS#8\n"


def test_init_prints_the_fingerprint_of_an_rsa_key(tmp_path: Path) -> None:
    settings = ["path=keys", "passphrase=env:PASSPHRASE", "algorithm=rsa-pss-sha384"]
    command = ["--backend", "file", *(word for each in settings for word in ("--set", each)), "init"]
    first, second = (CliRunner().invoke(main, command) for _ in range(2))
    with create_signer("signer.toml") as signer:
        assert signer.algorithm is Algorithm.RSA_PSS_SHA384
        assert first.stdout == second.stdout == f"{signer.public_key.fingerprint}\n"
