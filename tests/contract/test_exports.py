"""What applications and plugin authors import, and what importing costs."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import signer_core
from tests.keys import Ed25519Key

PACKAGE = Path(signer_core.__file__).parent

#: From the top down; a module imports only what stands below it.
LAYERS = (
    "factory",
    "installed",
    "plugins",
    "extension_plugin",
    "plugin",
    "distributions",
    "config",
    "settings",
    "extension_settings",
    "core_options",
    "config_class",
    "signer",
    "signing",
    "facts",
    "executors",
    "parts",
    "workers",
    "closing",
    "calls",
    "current_key",
    "renewal",
    "acceptance",
    "open_key",
    "extensions",
    "attached",
    "way",
    "hooks",
    "key_contract",
    "origin",
    "batches",
    "window",
    "hedging",
    "race",
    "forks",
    "parallel",
    "attempts",
    "pins",
    "hookspecs",
    "signing_key",
    "extension",
    "verdict",
    "backend",
    "options",
    "secrets",
    "paths",
    "deadline",
    "ecdsa_signatures",
    "public_key",
    "key_encodings",
    "jwk",
    "octets",
    "algorithms",
    "schemes",
    "prehash",
    "ed25519",
    "elliptic_curve",
    "rsa",
    "ml_dsa",
    "key_type",
    "libp2p",
    "base64url",
    "errors",
    "extras",
)

#: Packages above all modules; nothing imports them.
ABOVE = {"adapters", "cli", "testing"}


def imports_of(path: Path) -> set[str]:
    """The modules of signer_core that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{each.name}" for each in node.names} | {str(node.module)}
    parts = {each.split(".")[1] for each in found if each.startswith("signer_core.")}
    return parts & {*LAYERS, *ABOVE}


def test_exports_are_the_design_s() -> None:
    assert sorted(signer_core.__all__) == sorted(
        [
            "Algorithm",
            "Backend",
            "Deadline",
            "Extension",
            "PublicKey",
            "Secret",
            "SignEvent",
            "Signer",
            "SigningKey",
            "create_signer",
            "create_signer_async",
            "hookimpl",
            "init_signer",
        ]
    )


def test_each_export_is_there_and_is_listed() -> None:
    for name in signer_core.__all__:
        assert getattr(signer_core, name) is not None
    assert set(signer_core.__all__) <= set(dir(signer_core))


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError, match="module 'signer_core' has no attribute 'signer_of_fortune'"):
        signer_core.signer_of_fortune  # type: ignore[attr-defined]


def test_star_import() -> None:
    namespace: dict[str, object] = {}
    exec("from signer_core import *", namespace)
    assert set(signer_core.__all__) <= set(namespace)


def test_modules_are_those_in_the_list_of_layers() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} == set(LAYERS)


def test_layout_in_contributing_lists_them_in_that_order() -> None:
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text("utf-8")
    layout = text.partition("\nsigner_core/")[2].partition("\nplugins/")[0]
    assert tuple(re.findall(r"^ +(\w+)\.py ", layout, re.MULTILINE)) == LAYERS


@pytest.mark.parametrize("module", LAYERS)
def test_imports_point_down(module: str) -> None:
    below = set(LAYERS[LAYERS.index(module) + 1 :])
    assert imports_of(PACKAGE / f"{module}.py") - below == set()


@pytest.mark.parametrize("module", LAYERS)
def test_only_hooks_uses_pluggy_s_manager(module: str) -> None:
    assert ("PluginManager" in (PACKAGE / f"{module}.py").read_text("utf-8")) is (module == "hooks")


@pytest.mark.parametrize("module", LAYERS)
def test_each_module_says_what_it_is_about(module: str) -> None:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))
    assert ast.get_docstring(tree)


FOREIGN = (
    "signer_file",
    "signer_noop",
    "signer_aws_kms",
    "boto3",
    "botocore",
    "asyncio",
    "click",
    "yaml",
    "tomllib",
    "signer_core.adapters",
)


def imported_by(program: str) -> set[str]:
    """The modules that a program of its own loads, without those of the interpreter (and of what measures it)."""
    shown = f"import sys\nbefore = set(sys.modules)\n{program}\nprint('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", shown], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_import_brings_no_backend_no_sdk_and_no_more_than_it_needs() -> None:
    loaded = imported_by("import signer_core")
    assert loaded & {*FOREIGN, "cryptography", "attrs", "pluggy", "importlib_metadata"} == set()


def test_all_exports_bring_no_backend_no_sdk_and_no_command_line() -> None:
    assert imported_by("from signer_core import *") & set(FOREIGN) == set()


def test_errors_need_nothing() -> None:
    loaded = imported_by("import signer_core.errors")
    assert loaded & {*FOREIGN, "cryptography", "attrs", "pluggy", "importlib_metadata"} == set()


def test_signer_of_a_mapping_brings_its_own_backend_only() -> None:
    program = "from signer_core import create_signer; create_signer({'backend': 'noop', 'seed': '11' * 32}).sign(b'')"
    assert imported_by(program) & set(FOREIGN) == {"signer_noop"}


def test_first_signature_waits_for_nothing_that_other_keys_and_encodings_take() -> None:
    # importlib_metadata and pluggy bring much, which is no fault of the core's
    program = "from signer_core import create_signer; create_signer({'backend': 'noop'}).sign(b'')"
    loaded = imported_by(program) - imported_by("import importlib_metadata, pluggy")
    encodings = {"signer_core.jwk", "signer_core.base64url", "signer_core.libp2p", "signer_core.ecdsa_signatures"}
    assert loaded & {*encodings, "hashlib", "_hashlib", "json", "base64"} == set()
    keys = {name for name in loaded if name.startswith("cryptography.hazmat.primitives.asymmetric.")}
    assert keys == {"cryptography.hazmat.primitives.asymmetric.ed25519"}
    other_keys = {f"signer_core.{name}" for name in ("elliptic_curve", "rsa", "ml_dsa", "prehash")}
    extensions = {f"signer_core.{name}" for name in ("extension", "extension_plugin", "extension_settings", "attached")}
    later = {f"signer_core.{name}" for name in ("verdict", "renewal", "hedging", "race", "batches", "installed")}
    assert loaded & (other_keys | extensions | later) == set()
    assert loaded & {"asyncio", "concurrent.futures", "ssl", "socket", "selectors", "subprocess", "difflib"} == set()


def test_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("create_signer", "(config, *, name=None, timeout=None, cancel=None)"),
        ("init_signer", "(config, *, name=None, timeout=None, cancel=None)"),
        ("create_signer_async", "(config, *, name=None, timeout=None, cancel=None)"),
        ("Signer.sign", "(self, message, *, timeout=None, cancel=None)"),
        ("Signer.sign_async", "(self, message, *, timeout=None)"),
        ("Signer.sign_digest", "(self, digest, *, timeout=None, cancel=None)"),
        ("Signer.sign_digest_async", "(self, digest, *, timeout=None)"),
        ("Signer.hasher", "(self)"),
        ("Signer.sign_many", "(self, messages, *, concurrency=None, timeout=None, executor=None)"),
        ("Signer.sign_iter", "(self, messages, *, lookahead=None, concurrency=None, timeout=None)"),
        ("Signer.close", "(self)"),
        ("PublicKey.verify", "(self, signature, message)"),
        ("PublicKey.verify_digest", "(self, signature, digest)"),
        ("PublicKey.hasher", "(self)"),
        ("PublicKey.from_raw", "(algorithm, raw)"),
        ("PublicKey.from_pem", "(pem, *, algorithm=None)"),
        ("PublicKey.from_der", "(der, *, algorithm=None)"),
        ("PublicKey.from_jwk", "(jwk, *, algorithm=None)"),
        ("PublicKey.from_cryptography", "(key, *, algorithm=None)"),
        ("SigningKey.sign", "(self, message, deadline)"),
        ("SigningKey.sign_digest", "(self, digest, deadline)"),
        ("SigningKey.renew", "(self, deadline)"),
        ("SigningKey.close", "(self)"),
        ("Deadline.remaining", "(self)"),
        ("Deadline.check", "(self)"),
        ("Deadline.sleep", "(self, seconds)"),
        ("Secret.reveal", "(self)"),
    ],
)
def test_parameters_are_the_design_s(name: str, parameters: str) -> None:
    owner, _, method = name.partition(".")
    function = getattr(signer_core, owner)
    signature = inspect.signature(getattr(function, method) if method else function)
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    assert str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)) == parameters


@pytest.mark.parametrize("name", ["key_id", "public_key", "max_message_bytes", "concurrency", "renew_after"])
def test_properties_of_a_key_are_read_only(name: str) -> None:
    member = inspect.getattr_static(signer_core.SigningKey, name)
    assert isinstance(member, property)
    assert member.fset is None


def test_what_a_key_does_unless_its_author_says_otherwise() -> None:
    class Smallest(signer_core.SigningKey):
        key_id = "smallest"
        public_key = Ed25519Key().public_key

        def sign(self, message: bytes, deadline: signer_core.Deadline) -> bytes:
            return b""

    key = Smallest()
    assert (key.max_message_bytes, key.concurrency, key.renew_after, key.reopens) == (None, None, None, True)
    assert key.renew(signer_core.Deadline.after(1)) is key
    key.close()


def test_a_key_needs_no_more_than_three_members() -> None:
    assert signer_core.SigningKey.__abstractmethods__ == {"key_id", "public_key", "sign"}
