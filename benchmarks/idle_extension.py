"""An extension that does nothing, and its installation under several names: what the hooks themselves cost."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from signer_core import Extension, SignEvent, hookimpl


@attrs.frozen(kw_only=True)
class IdleConfig:
    """No options."""


class Idle:
    @hookimpl
    def signer_before_sign(self, event: SignEvent) -> None:
        """Approve."""

    @hookimpl
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> None:
        """Record nothing."""


@hookimpl
def signer_extension() -> Extension:
    return Extension(contract=1, config_class=IdleConfig)


@hookimpl
def signer_attach() -> Idle:
    return Idle()


@contextmanager
def installed(names: Sequence[str]) -> Iterator[None]:
    """The extension is installed under each of ``names``, by a distribution in a temporary directory."""
    with tempfile.TemporaryDirectory() as site:
        facts = Path(site, "signer_idle-1.0.dist-info")
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: signer-idle\nVersion: 1.0\n")
        lines = [f"{name} = {__name__}\n" for name in names]
        (facts / "entry_points.txt").write_text("".join(["[signer_core.extensions]\n", *lines]))
        sys.path.append(site)
        try:
            yield
        finally:
            sys.path.remove(site)
