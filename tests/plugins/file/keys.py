"""The key files that the tests use, and the shortest ways to configure them."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import attrs

from signer_core import Secret

FIXTURES = Path(__file__).parent / "evnode-key-files"
PASSPHRASE = b"correct horse battery staple"
MESSAGE = b"block header"


@attrs.frozen(kw_only=True)
class Fixture:
    """A key file that ev-node wrote, and what is in it."""

    name: str
    passphrase: bytes
    seed: bytes
    address: str
    message: bytes
    signature: bytes

    @property
    def content(self) -> bytes:
        return (FIXTURES / f"{self.name}.json").read_bytes()

    def copy_to(self, directory: Path) -> Path:
        """A copy of mode 0600, which git does not keep."""
        path = directory / "signer.json"
        shutil.copyfile(FIXTURES / f"{self.name}.json", path)
        path.chmod(0o600)
        return path


def _fixture(entry: dict[str, Any]) -> Fixture:
    return Fixture(
        name=entry["name"],
        passphrase=bytes.fromhex(entry["passphrase_hex"]),
        seed=bytes.fromhex(entry["seed_hex"]),
        address=entry["address_hex"],
        message=bytes.fromhex(entry["message_hex"]),
        signature=bytes.fromhex(entry["signature_hex"]),
    )


BY_NAME = {each["name"]: _fixture(each) for each in json.loads((FIXTURES / "manifest.json").read_text())}
ASCII = BY_NAME["genuine-ascii"]
LEGACY = BY_NAME["legacy-ascii"]


def options(path: Path, passphrase: bytes | None = PASSPHRASE, **more: Any) -> dict[str, Any]:
    """The configuration of a signer whose key is at ``path``."""
    secret = {} if passphrase is None else {"passphrase": Secret(passphrase)}
    return {"backend": "file", "path": path, **secret, **more}


def write_private(path: Path, content: bytes) -> Path:
    """``content`` in a file of mode 0600."""
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def names_in(directory: Path) -> list[str]:
    """What is in the directory."""
    return sorted(os.listdir(directory))
