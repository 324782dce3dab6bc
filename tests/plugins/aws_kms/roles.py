"""A role that is assumed by AWS's own configuration, of a security token service that says what a test tells it."""

import contextlib
import datetime as dt
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_aws_kms.testing import FakeKms, Identity
from tests.plugins.aws_kms.peers import http, peer, request_from
from tests.plugins.aws_kms.sources import without_keys

_ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>\
<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
<Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
_REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>\
<Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"""


class Role:
    """The role, and who may assume it: the holder of ``base``, an access key in AWS's shared file."""

    def __init__(self, kms: FakeKms, directory: Path, lifetime: float) -> None:
        self._kms = kms
        self._file = directory / "credentials"
        self.lifetime = lifetime
        #: The credentials that were given out.
        self.given: list[Identity] = []
        #: How often it was asked for.
        self.asked = 0
        #: It answers while this is set; whoever came before that never has an answer.
        self.answers = threading.Event()
        self.answers.set()
        #: A call came that has no answer.
        self.hangs = threading.Event()
        self.rotate("base 0")

    def rotate(self, base: str) -> None:
        """Let it be another access key that may assume the role."""
        self._base = base.replace(" ", "")
        self._file.write_text(f"[base]\naws_access_key_id = {self._base}\naws_secret_access_key = secret\n")

    def rotate_elsewhere(self) -> None:
        """Let the access key in the file be one that may not any more."""
        self._base = "another"

    def script(self, connection: socket.socket) -> None:
        """Answer what comes."""
        while request := request_from(connection):
            self.asked += 1
            if not self.answers.is_set():
                self.hangs.set()
                while connection.recv(65536):
                    pass
                return
            connection.sendall(self._answer(request.decode()))

    def _answer(self, request: str) -> bytes:
        if f"Credential={self._base}/" not in request:
            return http(_REFUSED.format(code="InvalidClientTokenId").encode(), status="403 Forbidden")
        identity = self._kms.add_identity("role", session_token=f"token {len(self.given)}")
        self.given.append(identity)
        expiration = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.lifetime)
        return http(
            _ASSUMED.format(
                key=identity.access_key_id,
                secret=identity.secret_access_key,
                token=identity.session_token,
                expiration=expiration.isoformat(),
            ).encode()
        )


@contextlib.contextmanager
def role(
    kms: FakeKms, directory: Path, patch: pytest.MonkeyPatch, *, lifetime: float, mfa: bool = False
) -> Iterator[Role]:
    """A role that is the one source of credentials of the environment, each lasting ``lifetime`` seconds."""
    running = Role(kms, directory, lifetime)
    config = directory / "config"
    config.write_text(
        "[default]\nrole_arn = arn:aws:iam::111122223333:role/signer\nsource_profile = base\n"
        + ("mfa_serial = arn:aws:iam::111122223333:mfa/device\n" if mfa else "")
    )
    without_keys(patch)
    with peer(running.script) as server:
        for name, value in {
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
            "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{server.port}",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            patch.setenv(name, value)
        yield running
