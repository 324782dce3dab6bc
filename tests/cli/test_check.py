"""``signer check``: one step after the other, from the configuration to a signature."""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from signer_core import init_signer
from tests.cli.conftest import SEED, Signer
from tests.conftest import WORKING, Install

STEPS = ["configuration", "plugin", "options", "environment", "key", "signature"]


def steps(result: Any) -> dict[str, dict[str, Any]]:
    """The steps of ``check --json``, by name."""
    return {step["step"]: step for step in json.loads(result.stdout)["steps"]}


@pytest.fixture
def key_file(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORD", "open sesame")
    Path("signer.toml").write_text('[signer]\nbackend = "file"\npath = "keys"\npassphrase = "env:WORD"\n')
    init_signer("signer.toml").close()
    return Path("keys/signer.json")


def test_all_is_well(noop: Signer) -> None:
    result = noop("check")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["ok", f"{step}:"] for step in STEPS]
    assert all(line.endswith("s)") for line in result.stdout.splitlines())


def test_json_has_the_same(noop: Signer) -> None:
    result = noop("check", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True
    assert list(steps(result)) == STEPS
    for step in steps(result).values():
        assert step.keys() == {"step", "passed", "detail", "remedy", "seconds"}
        assert (step["passed"], step["remedy"]) == (True, None)
        assert 0 <= step["seconds"] < 60


def test_the_plugin_is_shown_with_its_distribution(noop: Signer) -> None:
    detail = steps(noop("check", "--json"))["plugin"]["detail"]
    assert detail.startswith(f"signer-noop {version('signer-noop')} in /")


def test_an_rsa_key_is_shown_without_an_address(signer: Signer) -> None:
    shown = steps(signer("--backend", "noop", "--set", "algorithm=rsa-pss-sha256", "check", "--json"))
    assert ", rsa-pss-sha256, fingerprint " in shown["key"]["detail"]


def test_hedging_is_shown_and_refused_with_the_key(noop: Signer, signer: Signer) -> None:
    hedged = ("--set", "hedge_after=150ms", "check", "--json")
    shown = steps(noop(*hedged))
    assert shown["options"]["detail"] == "given: hedge_after, seed"
    assert shown["signature"]["passed"]
    result = signer("--backend", "noop", "--set", "algorithm=ml-dsa-44", *hedged)
    refused = steps(result)["key"]
    assert result.exit_code == 1
    assert refused["detail"].startswith("option 'hedge_after' is not for ml-dsa-44")
    assert refused["remedy"].startswith("leave it out, or use a key for one of: ed25519")


def test_the_key_is_shown_with_its_address(noop: Signer) -> None:
    address = noop("show", "--format", "address").stdout.strip()
    assert f"address {address}" in steps(noop("check", "--json"))["key"]["detail"]


def test_options_are_named_and_their_values_are_not_shown(noop: Signer) -> None:
    result = noop("--set", "timeout=3", "check")
    assert "options: given: seed, timeout (" in result.stdout
    assert SEED not in result.output


def test_ignored_variables_are_listed(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "noop"\n')
    monkeypatch.setenv("SIGNER_REGION", "eu-central-1")
    monkeypatch.setenv("SIGNER_VERIFY", "false")
    assert steps(signer("check", "--json"))["environment"]["detail"] == "ignored: SIGNER_REGION, SIGNER_VERIFY"


def test_variables_that_set_an_option_are_named_beside_it(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("signer.toml").write_text(f'[signer]\nseed = "{SEED}"\ntimeout = 1\n')
    monkeypatch.setenv("SIGNER_CONFIG", "signer.toml")
    monkeypatch.setenv("SIGNER_BACKEND", "noop")
    monkeypatch.setenv("SIGNER_TIMEOUT", "10s")
    monkeypatch.setenv("SIGNER_MAX_RETRIES", "3")
    found = steps(signer("--set", "max_retries=2", "check", "--json"))
    expected = "given: backend (SIGNER_BACKEND), max_retries, seed, timeout (SIGNER_TIMEOUT)"
    assert found["options"]["detail"] == expected
    assert found["environment"]["detail"] == "ignored: SIGNER_MAX_RETRIES"


def test_without_a_file_every_variable_is_ignored(noop: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNER_CONFIG", "")
    monkeypatch.setenv("SIGNER_TIMEOUT", "10s")
    found = steps(noop("check", "--json"))
    assert found["options"]["detail"] == "given: seed"
    assert found["environment"]["detail"] == "ignored: SIGNER_TIMEOUT"


def test_without_a_configuration_nothing_else_is_tried(signer: Signer) -> None:
    result = signer("check")
    assert result.exit_code == 1
    assert result.stdout.startswith("FAILED  configuration: there is no configuration")
    assert result.stdout.splitlines()[1].startswith("        remedy: ")
    assert result.stderr == "error: 1 of 1 steps failed\n"


def test_a_backend_that_is_not_installed(signer: Signer) -> None:
    result = signer("--backend", "vault", "check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False
    assert list(steps(result)) == ["configuration", "plugin"]
    assert steps(result)["plugin"]["remedy"] == "pip install signer-vault"


def test_a_wrong_option(signer: Signer) -> None:
    result = signer("--backend", "noop", "--set", "seed=00", "check", "--json")
    assert result.exit_code == 1
    assert list(steps(result)) == ["configuration", "plugin", "options"]


def test_a_key_that_does_not_open_leaves_the_plugins_own_steps(signer: Signer, key_file: Path) -> None:
    result = signer("--set", "passphrase=env:PATH", "check", "--json")
    assert result.exit_code == 1
    assert not steps(result)["key"]["passed"]
    assert steps(result)["key file permissions"]["passed"]
    assert "signature" not in steps(result)


def test_a_plugins_verdict_counts(signer: Signer, key_file: Path) -> None:
    os.chmod(key_file, 0o644)
    result = signer("check")
    assert result.exit_code == 1
    assert "FAILED  key file permissions: " in result.stdout
    assert "ok      signature: made and verified" in result.stdout
    assert result.stderr.splitlines()[-1].startswith("error: 1 of ")


def test_a_plugin_whose_own_steps_fail(signer: Signer, install: Install) -> None:
    install(source=f"{WORKING}\n@hookimpl\ndef signer_check(config):\n    raise KeyError\n", name="vault")
    result = signer("--backend", "vault", "check", "--json")
    assert result.exit_code == 1
    assert not steps(result)["steps of the plugin"]["passed"]
    assert steps(result)["signature"]["passed"]


def test_a_signature_that_cannot_be_made(signer: Signer, install: Install) -> None:
    install(
        source="""
        class Refusing(Ed25519Key):
            def sign(self, message, deadline):
                raise AccessDeniedError("no", remedy="ask for permission")
        @hookimpl
        def signer_backend():
            return Backend(contract=1, config_class=Config)
        @hookimpl
        def signer_open(config):
            return Refusing()
        """,
        name="vault",
    )
    result = signer("--backend", "vault", "check")
    assert result.exit_code == 1
    assert "FAILED  signature: no (" in result.stdout
    assert "        remedy: ask for permission\n" in result.stdout


# --- extensions ------------------------------------------------------------------------------------------------------

EXTENSION = """
LOG = []

@attrs.frozen(kw_only=True)
class Options:
    limit: int = 1

class Policy:
    @hookimpl
    def signer_before_sign(self, event):
        LOG.append("before")

    def close(self):
        LOG.append("close")

@hookimpl
def signer_extension():
    return Extension(contract=1, config_class=Options)

@hookimpl
def signer_attach():
    return Policy()
"""


def check_with(install: Install, signer: Signer, *sources: str) -> Any:
    """``check`` with an extension for each source: ``policy0``, ``policy1``, ..."""
    configuration = ["[signer]", 'backend = "noop"']
    for number, source in enumerate(sources):
        name = f"policy{number}"
        install(f"signer-{name}", source, name=name, group="signer_core.extensions", module=f"throwaway_{name}")
        configuration += [f"[signer.extensions.{name}]", "limit = 2"]
    Path("signer.toml").write_text("\n".join(configuration))
    return signer("check", "--json")


def test_each_extension_has_a_step(signer: Signer, install: Install) -> None:
    result = check_with(install, signer, EXTENSION, EXTENSION)
    assert result.exit_code == 0
    *before, key, signature = steps(result)
    assert [*before[-2:], key, signature] == ["extension policy0", "extension policy1", "key", "signature"]
    detail = steps(result)["extension policy1"]["detail"]
    assert detail.startswith("signer-policy1 1.0 in /")
    assert detail.endswith("; given: limit")


def test_what_an_extension_attaches_for_its_step_is_closed_and_the_signature_is_shown_to_it(
    signer: Signer, install: Install
) -> None:
    check_with(install, signer, EXTENSION)
    assert sys.modules["throwaway_policy0"].LOG == ["close", "before", "close"]


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("raise ImportError('no libpolicy')", "ImportError: no libpolicy"),
        (EXTENSION.replace("limit: int", "size: int"), "extension 'policy0' has no option 'limit'"),
        (EXTENSION.replace("return Policy()", "raise ExtensionError('the disk is full')"), "the disk is full"),
        (EXTENSION.replace('LOG.append("close")', "1 / 0"), "is broken: close raised ZeroDivisionError"),
    ],
)
def test_an_extension_that_fails_fails_its_step_and_the_others_are_looked_at(
    source: str, detail: str, signer: Signer, install: Install
) -> None:
    result = check_with(install, signer, source, EXTENSION)
    assert result.exit_code == 1
    assert not steps(result)["extension policy0"]["passed"]
    assert detail in steps(result)["extension policy0"]["detail"]
    assert steps(result)["extension policy1"]["passed"]
    assert not {"key", "signature"} & steps(result).keys()


def test_an_extension_that_is_not_installed_fails_its_step(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "noop"\n[signer.extensions.policy]\n')
    step = steps(signer("check", "--json"))["extension policy"]
    assert (step["passed"], step["remedy"]) == (False, "pip install signer-policy")


def test_extensions_that_are_no_tables_fail_the_first_step(signer: Signer) -> None:
    Path("signer.toml").write_text('[signer]\nbackend = "noop"\nextensions = "policy"\n')
    result = signer("check", "--json")
    assert list(steps(result)) == ["configuration"]
    assert result.exit_code == 1


def test_a_refusal_is_what_an_extension_is_for(signer: Signer, install: Install) -> None:
    refusing = EXTENSION.replace('LOG.append("before")', "raise PolicyViolationError('no texts')")
    result = check_with(install, signer, refusing)
    assert result.exit_code == 0
    assert steps(result)["signature"]["detail"] == "none was made: extension 'policy0' refused: no texts"


def test_an_extension_that_fails_to_approve_fails_the_signature(signer: Signer, install: Install) -> None:
    result = check_with(install, signer, EXTENSION.replace('LOG.append("before")', "1 / 0"))
    assert result.exit_code == 1
    assert steps(result)["extension policy0"]["passed"]
    assert not steps(result)["signature"]["passed"]
