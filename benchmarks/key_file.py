"""A key file to measure with."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signer_core import init_signer

PASSPHRASE = b"correct horse battery staple"


@contextmanager
def key_file() -> Iterator[dict[str, str]]:
    """The configuration of a new key file, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as directory:
        passphrase = Path(directory, "passphrase")
        passphrase.write_bytes(PASSPHRASE)
        config = {"backend": "file", "path": f"{directory}/keys", "passphrase": f"file:{passphrase}"}
        init_signer(config).close()
        yield config
