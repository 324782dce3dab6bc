"""``signer show``: the public key."""

import json

import pytest

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
