"""``signer show``: the public key."""

import json

import pytest
from click.testing import Result

from signer_core import PublicKey, create_signer, init_signer
from tests.cli.conftest import SEED, Signer


@pytest.fixture
def key() -> PublicKey:
    with create_signer({"backend": "noop", "seed": SEED}) as signer:
        return signer.public_key


def test_text_is_lines_of_names_and_values(noop: Signer, key: PublicKey) -> None:
    lines = noop("show").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["backend", "noop"],
        ["key_id", f"noop:{key.raw.hex()}"],
        ["algorithm", "ed25519"],
        ["address", key.address.hex()],
        ["public_key", key.raw.hex()],
        ["fingerprint", key.fingerprint],
    ]


def test_json_has_the_same(noop: Signer, key: PublicKey) -> None:
    assert json.loads(noop("show", "--format", "json").stdout) == {
        "backend": "noop",
        "key_id": f"noop:{key.raw.hex()}",
        "algorithm": "ed25519",
        "address": key.address.hex(),
        "public_key": key.raw.hex(),
        "fingerprint": key.fingerprint,
    }


def test_each_other_format_is_just_that_encoding(noop: Signer, key: PublicKey) -> None:
    expected = {
        "pem": key.to_pem(),
        "der": key.to_der(),
        "openssh": key.to_openssh() + b"\n",
        "libp2p": key.to_libp2p(),
        "address": key.address.hex().encode() + b"\n",
    }
    assert {form: noop("show", "--format", form).stdout_bytes for form in expected} == expected


def test_jwk_is_one_line_of_json(noop: Signer, key: PublicKey) -> None:
    line = noop("show", "--format", "jwk").stdout
    assert (json.loads(line), line.count("\n")) == (key.to_jwk(), 1)


def rsa(signer: Signer, *arguments: str) -> Result:
    return signer("--backend", "noop", "--set", "algorithm=rsa-pss-sha384", *arguments)


def test_an_rsa_key_has_no_address_and_is_shown_as_der(signer: Signer) -> None:
    shown = json.loads(rsa(signer, "show", "--format", "json").stdout)
    key = PublicKey.from_der(bytes.fromhex(shown["public_key"]), algorithm=shown["algorithm"])
    assert (shown["address"], shown["fingerprint"]) == (None, key.fingerprint)
    names = [line.split()[0] for line in rsa(signer, "show").stdout.splitlines()]
    assert names == ["backend", "key_id", "algorithm", "public_key", "fingerprint"]


def test_a_format_that_the_key_does_not_have(signer: Signer) -> None:
    result = rsa(signer, "show", "--format", "address")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error: an RSA key has no raw form, and so no address\n" in result.stderr
    curve = signer("--backend", "noop", "--set", "algorithm=ecdsa-secp256k1-sha256", "show", "--format", "openssh")
    assert "error: an EC key on secp256k1 has no form in OpenSSH\nremedy: use PEM" in curve.stderr


def test_an_unknown_format_is_wrong_usage(noop: Signer) -> None:
    assert noop("show", "--format", "xml").exit_code == 2


def test_a_key_that_is_missing(signer: Signer) -> None:
    result = signer("--backend", "file", "--set", "path=keys", "show")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: there is no key")


def test_a_path_in_another_encoding_is_shown_all_the_same(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "open sesame")
    options = {"backend": "file", "path": "\udcff.json", "passphrase": "env:WORD"}
    init_signer(options).close()
    result = signer("--backend", "file", "--set", "path=\udcff.json", "--set", "passphrase=env:WORD", "show")
    assert "/\\udcff.json\n" in result.stdout
