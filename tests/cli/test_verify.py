"""``signer verify``: the signature of a file."""

import os
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_core import Algorithm, PublicKey
from signer_core import Signer as SignerOf
from signer_core.algorithms import FACTS
from signer_core.cli import main
from signer_core.cli.public_keys import FORMATS, parse
from signer_core.cli.signatures import ENCODINGS, candidates
from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError
from signer_noop import NoopKey
from tests.cli.conftest import SEED, Signer
from tests.strategies import flipped, messages, private_key

MESSAGE = b"block header\n"


@pytest.fixture(autouse=True)
def files(folder: Path, noop: Signer) -> None:
    Path("message").write_bytes(MESSAGE)
    noop("sign", "message", "-o", "signature")
    Path("key.pem").write_bytes(noop("show", "--format", "pem").stdout_bytes)


def test_a_good_signature_of_the_configured_signer(noop: Signer) -> None:
    result = noop("verify", "message", "signature")
    fingerprint = PublicKey.from_pem(Path("key.pem").read_bytes()).fingerprint
    assert result.exit_code == 0
    assert result.stdout == f"the signature is good: made over message with the ed25519 key {fingerprint}\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_that_sign_writes(encoding: str, noop: Signer) -> None:
    Path("encoded").write_bytes(noop("sign", "message", "--encoding", encoding).stdout_bytes)
    assert noop("verify", "message", "encoded").exit_code == 0


@pytest.mark.parametrize("form", [each for each in FORMATS if each != "address"])
def test_every_public_key_that_show_writes(form: str, noop: Signer, signer: Signer) -> None:
    Path("key").write_bytes(noop("show", "--format", form).stdout_bytes)
    result = signer("verify", "message", "signature", "--public-key", "key")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("form", [each for each in FORMATS if each not in ("address", "text", "json", "jwk")])
def test_an_rsa_key_in_an_encoding_that_does_not_say_what_it_signs_with(form: str, signer: Signer) -> None:
    algorithm = Algorithm.RSA_PKCS1V15_SHA512
    private = private_key(algorithm)
    key = PublicKey.from_cryptography(private.public_key(), algorithm=algorithm)
    Path("signature").write_bytes(FACTS[algorithm].scheme.signer(private)(MESSAGE))
    encoded = {"pem": key.to_pem, "der": key.to_der, "openssh": key.to_openssh, "libp2p": key.to_libp2p}
    Path("key").write_bytes(encoded[form]())
    wrong = signer("verify", "message", "signature", "--public-key", "key")
    assert wrong.exit_code == 1
    assert "remedy: the key is rsa-pss-sha256, its fingerprint" in wrong.stderr
    right = signer("verify", "message", "signature", "--public-key", "key", "--algorithm", algorithm)
    assert (right.exit_code, right.stderr) == (0, "")
    assert f"with the {algorithm} key" in right.stdout


@pytest.mark.parametrize("algorithm", ["rsa-pkcs1v15-sha384", "ecdsa-p521-sha512", "ml-dsa-44"])
@pytest.mark.parametrize("form", ["text", "json", "jwk"])
def test_what_says_itself_what_the_key_signs_with(form: str, algorithm: str, signer: Signer) -> None:
    private = private_key(Algorithm(algorithm))
    signer_of = FACTS[Algorithm(algorithm)].scheme.signer(private)
    key = PublicKey.from_cryptography(private.public_key(), algorithm=Algorithm(algorithm))
    facts = SignerOf(NoopKey(private, Algorithm(algorithm), reopens=False), name="mine")
    Path("key").write_bytes(FORMATS[form](facts))
    Path("signature").write_bytes(signer_of(MESSAGE))
    assert signer("verify", "message", "signature", "--public-key", "key").stdout.endswith(f"{key.fingerprint}\n")
    other = signer("verify", "message", "signature", "--public-key", "key", "--algorithm", "ed25519")
    assert other.exit_code == 1
    assert other.stderr.startswith("error: key: ")


def test_an_algorithm_that_there_is_not(signer: Signer) -> None:
    result = signer("verify", "message", "signature", "--public-key", "key.pem", "--algorithm", "rot13")
    assert result.stderr.startswith("error: key.pem: there is no algorithm 'rot13'\n")


def test_an_algorithm_without_a_public_key_is_wrong_usage(noop: Signer) -> None:
    assert noop("verify", "message", "signature", "--algorithm", "ed25519").exit_code == 2


def test_a_public_key_needs_no_configuration(signer: Signer) -> None:
    assert signer("verify", "message", "signature", "--public-key", "key.pem").exit_code == 0


@pytest.mark.parametrize("arguments", [("-", "signature"), ("message", "-")])
def test_either_file_may_be_the_standard_input(arguments: tuple[str, str], signer: Signer) -> None:
    given = MESSAGE if arguments[0] == "-" else Path("signature").read_bytes()
    result = signer("verify", *arguments, "--public-key", "key.pem", input=given)
    assert result.exit_code == 0
    assert "the standard input" in result.stdout or arguments[1] == "-"


def test_both_files_on_the_standard_input_is_wrong_usage(signer: Signer) -> None:
    assert signer("verify", "-", "-").exit_code == 2


def test_a_wrong_signature(signer: Signer) -> None:
    Path("message").write_bytes(b"another")
    result = signer("verify", "message", "signature", "--public-key", "key.pem")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: wrong signature: signature was not made over message with this key\n")


def test_another_key(signer: Signer) -> None:
    assert signer("--backend", "noop", "verify", "message", "signature").exit_code == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"no signature", b"00", b"====", bytes(64), bytes(65)])
def test_what_is_no_signature_is_a_wrong_one(content: bytes, signer: Signer) -> None:
    Path("signature").write_bytes(content)
    result = signer("verify", "message", "signature", "--public-key", "key.pem")
    assert (result.exit_code, result.stdout) == (1, "")


def test_an_address_is_no_public_key(noop: Signer) -> None:
    Path("address").write_bytes(noop("show", "--format", "address").stdout_bytes)
    result = noop("verify", "message", "signature", "--public-key", "address")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: address: this is an address: a hash, that no signature can be verified with",
        "remedy: give the public key itself, as `signer show --format pem` writes it",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"what is this",
        b"{",
        b"{}",
        b'{"algorithm": "ed25519", "public_key": 1}',
        b'{"algorithm": "rot13", "public_key": "00"}',
        b'{"kty": "OKP"}',
        b'{"a":' * 100_000,
        b"-----BEGIN PUBLIC KEY-----",
        b"ssh-ed25519 AAAA",
        b"\x30\x00",
        b"\x08\x01\x12\x20",
        b"algorithm    ed25519\npublic_key   00\n",
        b"\xff" * 32,
    ],
)
def test_what_is_no_public_key(content: bytes, signer: Signer) -> None:
    Path("key").write_bytes(content)
    result = signer("verify", "message", "signature", "--public-key", "key")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: key: ")


def test_a_public_key_beside_the_fingerprint_of_another(noop: Signer, signer: Signer) -> None:
    other = signer("--backend", "noop", "show").stdout.splitlines()[-1]
    Path("key").write_text("\n".join([*noop("show").stdout.splitlines()[:-1], other]))
    result = signer("verify", "message", "signature", "--public-key", "key")
    assert "belong to different keys" in result.stderr


@pytest.mark.parametrize("gone", ["message", "signature", "key.pem"])
def test_a_missing_file(gone: str, signer: Signer) -> None:
    os.unlink(gone)
    result = signer("verify", "message", "signature", "--public-key", "key.pem")
    assert result.exit_code == 1
    assert result.stderr == f"error: {gone} cannot be read: No such file or directory\n"


def test_a_huge_file_is_no_signature(signer: Signer) -> None:
    Path("signature").write_bytes(bytes(1024 * 1024 + 1))
    result = signer("verify", "message", "signature", "--public-key", "key.pem")
    assert result.stderr == "error: signature has more than 1048576 bytes: it is something else\n"


@given(signature=st.binary(max_size=100), encoding=st.sampled_from(list(ENCODINGS)))
def test_whatever_its_size_a_signature_is_among_what_its_encoding_may_stand_for(
    signature: bytes, encoding: str
) -> None:
    assert signature in list(candidates(ENCODINGS[encoding](signature)))


@given(encoded=st.binary(max_size=200))
def test_anything_is_a_public_key_or_a_clear_error(encoded: bytes) -> None:
    try:
        parse(encoded)
    except (KeyFormatError, UnsupportedAlgorithmError):
        pass


@settings(max_examples=25, deadline=None)
@given(data=st.data(), message=messages, encoding=st.sampled_from(list(ENCODINGS)))
def test_a_flipped_bit_of_the_message_is_found(data: st.DataObject, message: bytes, encoding: str) -> None:
    run, key = CliRunner(), ["--backend", "noop", "--set", f"seed={SEED}"]
    signature = run.invoke(main, [*key, "sign", "-", "--encoding", encoding], input=message).stdout_bytes
    with tempfile.NamedTemporaryFile() as file:
        file.write(signature)
        file.flush()
        assert run.invoke(main, [*key, "verify", "-", file.name], input=message).exit_code == 0
        wrong = data.draw(flipped(message)) if message else b"\0"
        assert run.invoke(main, [*key, "verify", "-", file.name], input=wrong).exit_code == 1
