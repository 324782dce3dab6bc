"""All broken plugins there are."""

from tests.testing import (  # noqa: F401 — importing them registers what is in them
    broken_breakage,
    broken_contract,
    broken_digests,
    broken_extension_secrecy,
    broken_extensions,
    broken_identity,
    broken_lifetime,
    broken_openings,
    broken_secrecy,
    broken_sharing,
    broken_signatures,
)
from tests.testing.broken import BACKENDS, EXTENSIONS

__all__ = ["BACKENDS", "EXTENSIONS"]
