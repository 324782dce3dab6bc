"""The conformance kit: what must hold of every backend and extension, as tests that their authors run on theirs.

Needs pytest, which ``signer-core[testing]`` brings::

    # test_vault.py
    import pytest
    from signer_core.testing import SigningKeyConformance

    class TestVault(SigningKeyConformance):
        @pytest.fixture(scope="class")
        def config(self, vault):
            return {"backend": "vault", "url": vault.url, "token": "env:VAULT_TOKEN"}

Each test's docstring says what is promised. :class:`SigningKeyConformance` describes the fixtures that it takes, and
:class:`ExtensionConformance` those for an extension.
"""

from signer_core.extras import brought_by

with brought_by("signer-core[testing]", "pytest"):
    import pytest

# Before they are imported: a failing assertion shall show its values to the author of the plugin.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "breakage",
            "contract",
            "digests",
            "extension_breakage",
            "extension_calls",
            "extension_contract",
            "extension_secrecy",
            "identity",
            "lifetime",
            "openings",
            "outcomes",
            "plugin_contract",
            "secrecy",
            "sharing",
            "signatures",
        )
    )
)

from signer_core.testing.breakage import Breakage  # noqa: E402 — see above
from signer_core.testing.conformance import SigningKeyConformance  # noqa: E402
from signer_core.testing.extension_conformance import ExtensionConformance  # noqa: E402
from signer_core.testing.recording_key import RecordingKey  # noqa: E402

__all__ = ["Breakage", "ExtensionConformance", "RecordingKey", "SigningKeyConformance"]
