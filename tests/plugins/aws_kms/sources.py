"""Sources of credentials, as botocore asks them."""

import contextlib
import copy
import datetime as dt
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.credentials
import botocore.session
import pytest

from signer_aws_kms.testing import FakeKms, Identity
from tests.plugins.aws_kms.peers import PATIENCE, Clock


def landed() -> None:
    """Wait for what the backend does in threads of its own."""
    for thread in threading.enumerate():
        if thread.name == "signer-aws-kms":
            thread.join(PATIENCE)


class Source:
    """A source of temporary credentials, which botocore's own object renews 900 seconds before they expire.

    Within the last 600 seconds it does not go on with what it has when that fails.
    """

    def __init__(self, kms: FakeKms, *, lifetime: float) -> None:
        self.kms = kms
        self.lifetime = lifetime
        #: The time by which they expire.
        self.clock = Clock(time.time())
        #: How often it was asked.
        self.asked = 0
        self.given: list[Identity] = []
        #: It answers when this is set.
        self.gate = threading.Event()
        self.gate.set()
        #: A question came that has no answer yet.
        self.hangs = threading.Event()
        self.error: BaseException | None = None
        #: It gives what it gave before.
        self.stale = False

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if not self.gate.is_set():
            self.hangs.set()
            self.gate.wait(PATIENCE)
        if self.error is not None:
            raise copy.copy(self.error)
        if not self.stale:
            self.given.append(self.kms.add_identity("assumed", session_token=f"token {len(self.given)}"))
        identity = self.given[-1]
        return {
            "access_key": identity.access_key_id,
            "secret_key": identity.secret_access_key,
            "token": identity.session_token,
            "expiry_time": (self._now() + dt.timedelta(seconds=self.lifetime)).isoformat(),
        }

    def session(self) -> boto3.Session:
        """A session whose credentials are ``token 0``."""
        first = self()
        first["expiry_time"] = self._now() + dt.timedelta(seconds=self.lifetime)
        core = botocore.session.get_session()
        core._credentials = botocore.credentials.RefreshableCredentials(
            **first, refresh_using=self, method="a test", time_fetcher=self._now
        )
        return boto3.Session(botocore_session=core, region_name=self.kms.region)

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.clock(), dt.UTC)


class CredentialProcess:
    """A program that prints credentials, configured as the one source of the environment."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        program = directory / "program.py"
        program.write_text(
            "import sys\n"
            f"with open({str(directory / 'runs')!r}, 'a') as runs:\n"
            "    runs.write('.')\n"
            "for name in ('stdout', 'stderr'):\n"
            f"    with open({str(directory)!r} + '/' + name) as text:\n"
            "        getattr(sys, name).write(text.read())\n"
            f"with open({str(directory / 'status')!r}) as status:\n"
            "    sys.exit(int(status.read()))\n"
        )
        config = directory / "config"
        config.write_text(f"[default]\ncredential_process = {sys.executable} -I -S {program}\n")
        patch.setenv("AWS_CONFIG_FILE", str(config))
        without_keys(patch)
        self.print("")

    @property
    def runs(self) -> int:
        """How often it ran."""
        runs = self._directory / "runs"
        return len(runs.read_text()) if runs.exists() else 0

    def print(self, stdout: str, *, stderr: str = "", status: int = 0) -> None:
        """What it does from now on."""
        for name, text in (("stdout", stdout), ("stderr", stderr), ("status", str(status))):
            beside = self._directory / f"{name}.new"
            beside.write_text(text)
            beside.replace(self._directory / name)

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it have no end in the block; it prints nothing afterwards."""
        stdout = self._directory / "stdout"
        stdout.unlink()
        os.mkfifo(stdout)
        fifo = os.open(stdout, os.O_RDWR)
        try:
            yield
        finally:
            self.print("")
            os.close(fifo)

    def give(self, identity: Identity, *, lifetime: float | None = None) -> None:
        """Print these credentials from now on."""
        expiration = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=lifetime or 0)).isoformat()
        document = {
            "Version": 1,
            "AccessKeyId": identity.access_key_id,
            "SecretAccessKey": identity.secret_access_key,
            "SessionToken": identity.session_token,
            **({} if lifetime is None else {"Expiration": expiration}),
        }
        self.print(json.dumps(document))


class SharedFile:
    """AWS's shared file of credentials, as the one source of the environment."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self._path = directory / "credentials"
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(self._path))
        without_keys(patch)

    def write(self, identity: Identity, *, profile: str = "default") -> None:
        """Have this profile alone."""
        lines = [f"{name.lower()} = {value}" for name, value in identity.environment().items()]
        beside = self._path.with_suffix(".new")
        beside.write_text("\n".join([f"[{profile}]", *lines, ""]))
        beside.replace(self._path)


def without_keys(patch: pytest.MonkeyPatch) -> None:
    """Take the credentials out of the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    assert not [name for name in os.environ if name.startswith("AWS_CONTAINER")]


@contextlib.contextmanager
def no_threads() -> Iterator[None]:
    """Let no thread be started: no machine has the memory for such stacks."""
    usual = threading.stack_size(2**62)
    try:
        yield
    finally:
        threading.stack_size(usual)
