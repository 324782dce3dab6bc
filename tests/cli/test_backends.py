"""``signer backends``: what is installed."""

import json
from importlib.metadata import version

import pytest

from tests.cli.conftest import Signer
from tests.conftest import Install


def test_the_table_has_every_backend(signer: Signer) -> None:
    head, *rows = [line.split() for line in signer("backends").stdout.splitlines()]
    assert head == ["NAME", "KIND", "DISTRIBUTION", "VERSION", "SUMMARY", "PATH"]
    assert [row[:4] for row in rows if row[1] == "backend"] == [
        ["awskms", "backend", "signer-aws-kms", version("signer-aws-kms")],
        ["file", "backend", "signer-file", version("signer-file")],
        ["noop", "backend", "signer-noop", version("signer-noop")],
    ]


def test_the_columns_are_aligned(signer: Signer) -> None:
    head, *lines = signer("backends").stdout.splitlines()
    assert {line.index("signer-") for line in lines} == {head.index("DISTRIBUTION")}


def test_json_is_a_list_of_objects(signer: Signer) -> None:
    objects = json.loads(signer("backends", "--json").stdout)
    assert [each["name"] for each in objects if each["kind"] == "backend"] == ["awskms", "file", "noop"]
    assert objects[1].keys() == {"name", "kind", "distribution", "version", "path", "summary", "error"}
    assert objects[1]["error"] is None


def test_extensions_are_listed_too(signer: Signer, install: Install) -> None:
    install("signer-policy", name="policy", group="signer_core.extensions")
    assert ["policy", "extension", "signer-policy", "1.0"] in [
        line.split()[:4] for line in signer("backends").stdout.splitlines()
    ]


def test_nothing_is_imported(signer: Signer, install: Install) -> None:
    install(source="raise AssertionError", name="broken")
    result = signer("backends")
    assert result.exit_code == 0
    assert "broken:" not in result.stdout


def test_load_shows_the_broken_ones_as_broken_beside_the_others(signer: Signer, install: Install) -> None:
    install(source="raise ImportError('no\\n libvault')", name="vault")
    install("signer-policy", "1 / 0", name="policy", group="signer_core.extensions")
    lines = signer("backends", "--load").stdout.splitlines()
    words = [line.split()[0] for line in lines]
    assert words[:6] == ["NAME", "awskms", "file", "noop", "vault", "broken:"]
    assert "ImportError: no libvault" in lines[5]
    assert words[-2:] == ["policy", "broken:"]
    assert words.count("broken:") == 2
    assert "ZeroDivisionError" in lines[-1]


def test_claims_in_conflict_are_seen_without_importing_anything(signer: Signer, install: Install) -> None:
    install("signer-vault", source="raise AssertionError", name="vault")
    install("signer-stranger", source="raise AssertionError", name="vault")
    lines = [line for line in signer("backends").stdout.splitlines() if "vault" in line]
    assert [line.split()[:3] for line in lines[::2]] == [
        ["vault", "backend", "signer-stranger"],
        ["vault", "backend", "signer-vault"],
    ]
    for line in lines[1::2]:
        assert line.startswith("  broken: backend 'vault' is claimed more than once: ")
        assert line.endswith("; uninstall all but one of them")


def test_load_in_json(signer: Signer, install: Install) -> None:
    install(source="import sys\nprint('noise')\nsys.exit(3)", name="vault")
    result = signer("backends", "--load", "--json")
    assert result.exit_code == 0
    errors = {each["name"]: each["error"] for each in json.loads(result.stdout)}
    assert (errors["file"], errors["noop"]) == (None, None)
    assert "SystemExit" in errors["vault"]


def test_nothing_installed(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_core.installed.installed_plugins", lambda **_: [])
    result = signer("backends")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no backend is installed; `pip install signer-file` brings one\n"
