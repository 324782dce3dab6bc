"""What tests of several modules need."""

import hashlib
import importlib
import itertools
import os
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_numbers = itertools.count()

#: Installs a throw-away distribution; the fixture of that name says how.
Install = Callable[..., Path]

#: The beginning of each plugin's module.
PRELUDE = """
import attrs
from tests.keys import *
from tests.strategies import *
from signer_core import *
from signer_core.errors import *
from signer_core.hookspecs import Verdict

@attrs.frozen(kw_only=True)
class Config:
    pass
"""

WORKING = """
@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config)

@hookimpl
def signer_open(config):
    return Ed25519Key()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A function that installs a distribution as pip would: metadata and a module in a directory on the path.

    The module is ``source`` after :data:`PRELUDE`; the function returns the directory of the metadata.
    """
    modules: list[str] = []

    def install(
        distribution: str = "signer-throwaway",
        source: str = WORKING,
        *,
        name: str = "throwaway",
        version: str = "1.0",
        group: str = "signer_core.backends",
        entry_points: str | None = None,
        metadata: str | None = None,
        directory: str = "site",
        module: str | None = None,
        form: str = "dist-info",
    ) -> Path:
        site = tmp_path / directory
        site.mkdir(exist_ok=True)
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(site)
        module = module or f"throwaway_{next(_numbers)}"
        modules.append(module)
        (site / f"{module}.py").write_text(PRELUDE + textwrap.dedent(source), "utf-8")
        facts = site / f"{distribution.replace('-', '_')}-{version}.{form}"
        facts.mkdir()
        if metadata is None:
            metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\nSummary: for a test\n"
        if metadata:
            (facts / ("METADATA" if form == "dist-info" else "PKG-INFO")).write_text(metadata, "utf-8")
        text = entry_points if entry_points is not None else f"[{group}]\n{name} = {module}\n"
        (facts / "entry_points.txt").write_text(text, "utf-8", "surrogateescape")
        importlib.invalidate_caches()
        return facts

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture(scope="module")
def quick_passphrases() -> Iterator[None]:
    """New key files take next to no time to write and to open, where the passphrase is not what the tests are about.

    What protects it takes a fifth of a second of work each time; test_pkcs8.py and test_evnode.py in tests/plugins/file
    are about that. An ev-node file that was there, or that another process makes, takes its time here as well.
    """
    from signer_file import evnode

    derive, seal = evnode._derive, evnode.seal
    sealing = threading.local()
    made_here = set()

    def quick_seal(key: Any, passphrase: bytes) -> bytes:
        sealing.now = True
        try:
            return seal(key, passphrase)
        finally:
            sealing.now = False

    def quick_derive(passphrase: bytes, salt: bytes) -> bytes:
        if getattr(sealing, "now", False):
            made_here.add(salt)
        return hashlib.sha256(salt + passphrase).digest() if salt in made_here else derive(passphrase, salt)

    with pytest.MonkeyPatch.context() as derivation:
        derivation.setattr(evnode, "seal", quick_seal)
        derivation.setattr(evnode, "_derive", quick_derive)
        derivation.setattr("signer_file.pbes2._N", 16)
        derivation.setattr("signer_file.pbes2._SCRYPT_MIN_WORK", 0)
        yield


@pytest.fixture(scope="module")
def unmeasured_processes() -> Iterator[None]:
    """No coverage of the processes that the tests start: what they run is run in measured ones by other tests."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            environment.delenv(name)
        yield


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No ``SIGNER_…`` variables but those that the test sets."""
    for variable in [each for each in os.environ if each.startswith("SIGNER_")]:
        monkeypatch.delenv(variable)
    return monkeypatch
