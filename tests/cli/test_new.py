"""``signer new-backend`` and ``new-extension``: distributions that are complete. .ci/third-party uses some for real."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from signer_core.cli.new_distribution import write_distribution
from tests.cli.conftest import Signer, unmeasured, with_full_disk
from tests.conftest import Install

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "signer_core" / "cli" / "templates"
KINDS = sorted(path.name for path in TEMPLATES.iterdir())

each_kind = pytest.mark.parametrize("kind", KINDS)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def configured(tool: str) -> dict[str, list[str]]:
    table: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"][tool]
    return table


def run(*command: object, folder: Path, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder,
        env={**unmeasured(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_backend_is_a_whole_distribution(signer: Signer, folder: Path) -> None:
    result = signer("new-backend", "my-vault")
    assert (result.exit_code, result.stderr) == (0, "")
    assert files(folder) == {
        f"signer-my-vault/{path}"
        for path in (
            ".gitignore",
            "README.md",
            "pyproject.toml",
            "signer_my_vault/__init__.py",
            "signer_my_vault/key.py",
            "signer_my_vault/py.typed",
            "tests/test_backend.py",
        )
    }


def test_new_extension_is_a_whole_distribution(signer: Signer, folder: Path) -> None:
    result = signer("new-extension", "my-policy")
    assert (result.exit_code, result.stderr) == (0, "")
    assert files(folder) == {
        f"signer-my-policy/{path}"
        for path in (
            ".gitignore",
            "README.md",
            "pyproject.toml",
            "signer_my_policy/__init__.py",
            "signer_my_policy/policy.py",
            "signer_my_policy/py.typed",
            "tests/test_extension.py",
        )
    }


@each_kind
def test_new_plugin_is_named_throughout(signer: Signer, folder: Path, kind: str) -> None:
    signer(f"new-{kind}", "my-vault")
    made = folder / "signer-my-vault"
    project = tomllib.loads((made / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "signer-my-vault"
    assert project["entry-points"] == {f"signer_core.{kind}s": {"my-vault": "signer_my_vault"}}
    assert "class MyVaultConfig" in (made / "signer_my_vault" / "__init__.py").read_text("utf-8")
    assert [path for path in files(made) if "example" in f"{path} {(made / path).read_text('utf-8')}".lower()] == []


def test_next_commands_are_told(signer: Signer, folder: Path) -> None:
    assert signer("new-backend", "vault").stdout == (
        f"wrote {folder}/signer-vault\n"
        "\n"
        "now:\n"
        "  cd signer-vault\n"
        "  pip install -e '.[test]'\n"
        "  pytest\n"
        "  signer --backend vault --set path=key init\n"
    )


def test_table_of_a_new_extension_is_told(signer: Signer) -> None:
    assert signer("new-extension", "policy").stdout.endswith("  pytest\n  # attach it: [signer.extensions.policy]\n")


@each_kind
def test_output_chooses_the_directory(signer: Signer, folder: Path, kind: str) -> None:
    result = signer(f"new-{kind}", "vault", "--output", "a b")
    assert "  cd 'a b'\n" in result.stdout
    assert [path.name for path in folder.iterdir()] == ["a b"]


@pytest.mark.parametrize(
    "name", ["", "Vault", "my_vault", "-x", "x-", "a--b", "1st", "a.b", "../up", "a/b", "vâult", "a\n", "a" * 31, "٣x"]
)
def test_name_that_is_none_is_refused(signer: Signer, folder: Path, name: str) -> None:
    result = signer("new-backend", "--", name)
    assert result.exit_code == 1
    assert "is no name for a plugin\nremedy: use lower-case letters" in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("check", "`signer check` is a command already"),
        ("new-backend", "`signer new-backend` is a command already"),
        ("file", "has the backend 'file' already"),
        ("awskms", f"signer-aws-kms {version('signer-aws-kms')} has the backend 'awskms' already"),
        ("aws-kms", "a distribution signer-aws-kms is installed already"),
        ("core", "a distribution signer-core is installed already"),
        ("public", "its PublicKey would hide signer_core's own"),
        ("signing", "its SigningKey would hide signer_core's own"),
        ("signer-vault", "the distribution would be signer-signer-vault"),
    ],
)
def test_name_that_is_taken_is_refused(signer: Signer, folder: Path, name: str, reason: str) -> None:
    result = signer("new-backend", name)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert re.search("remedy: (choose another name|write vault)", result.stderr)
    assert list(folder.iterdir()) == []


def test_name_of_an_installed_extension_is_refused(signer: Signer, install: Install) -> None:
    install("signer-a-policy", name="policy", group="signer_core.extensions")
    assert "signer-a-policy 1.0 has the extension 'policy' already" in signer("new-backend", "policy").stderr


@pytest.mark.parametrize("what", ["directory", "file", "dangling link"])
def test_what_is_there_already_stays(signer: Signer, folder: Path, what: str) -> None:
    target = folder / "signer-vault"
    match what:
        case "directory":
            target.mkdir()
        case "file":
            target.write_text("mine")
        case _:
            target.symlink_to("nowhere")
    before = target.lstat()
    result = signer("new-backend", "vault")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"error: {target} is there already, and stays as it is" in result.stderr
    assert "--output" in result.stderr
    assert (list(folder.iterdir()), target.lstat()) == ([target], before)


def test_place_that_is_not_there_is_refused(signer: Signer, folder: Path) -> None:
    result = signer("new-backend", "vault", "-o", "absent/vault")
    assert result.exit_code == 1
    assert result.stderr == f"error: {folder}/absent/vault cannot be written: No such file or directory\n"


def test_full_disk_leaves_nothing(folder: Path) -> None:
    result = with_full_disk("new-backend", "vault")
    assert result.returncode == 1
    assert f"error: {folder}/signer-vault cannot be written: ".encode() in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.slow
@each_kind
@pytest.mark.parametrize("name", ["a", "x2-y", "n" * 30])
def test_new_plugin_passes_ruff(folder: Path, kind: str, name: str) -> None:
    write_distribution(kind, name, None)
    made = folder / f"signer-{name}"
    run("ruff", "check", made, folder=made)
    run("ruff", "format", "--check", made, folder=made)


@each_kind
def test_new_plugin_passes_the_rules_of_the_core(folder: Path, kind: str) -> None:
    write_distribution(kind, "vault", None)
    rules = configured("lint")
    ignored = ",".join(rules["ignore"])
    options = ["--isolated", "--line-length=120", "--target-version=py311", "--select=ALL"]
    in_tests = ",".join([ignored, *configured("lint")["per-file-ignores"]["tests/**"]])  # type: ignore[call-overload]
    made = folder / "signer-vault"
    run("ruff", "check", *options, f"--ignore={ignored}", made / "signer_vault", folder=made)
    run("ruff", "check", *options, f"--ignore={in_tests}", made / "tests", folder=made)


@pytest.mark.slow
@each_kind
@pytest.mark.parametrize("name", ["my-vault", "testnet"])  # in classes called Test… pytest looks for tests
def test_tests_of_a_new_plugin_pass_at_once(folder: Path, kind: str, name: str, tmp_path: Path) -> None:
    write_distribution(kind, name, None)
    module = f"signer_{name.replace('-', '_')}"
    facts = tmp_path / "site" / f"{module}-0.1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: signer-{name}\nVersion: 0.1.0\n")
    (facts / "entry_points.txt").write_text(f"[signer_core.{kind}s]\n{name} = {module}\n")
    made = folder / f"signer-{name}"
    path = os.pathsep.join(map(str, [made, facts.parent]))
    run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", folder=made, PYTHONPATH=path)
