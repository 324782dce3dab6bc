"""Sources of credentials, as botocore asks them."""

import datetime as dt
import threading
from typing import Any

import boto3
import botocore.credentials
import botocore.session

from signer_aws_kms.testing import FakeKms, Identity
from tests.plugins.aws_kms.peers import PATIENCE


class Source:
    """A source of temporary credentials, as botocore asks it."""

    def __init__(self, kms: FakeKms, *, lifetime: float) -> None:
        self.kms = kms
        self.lifetime = lifetime
        self.given: list[Identity] = []
        self.gate: threading.Event | None = None
        self.error: Exception | None = None

    def __call__(self) -> dict[str, Any]:
        if self.gate is not None:
            self.gate.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        identity = self.kms.add_identity("assumed", session_token=f"token {len(self.given)}")
        self.given.append(identity)
        expiry = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.lifetime)
        return {
            "access_key": identity.access_key_id,
            "secret_key": identity.secret_access_key,
            "token": identity.session_token,
            "expiry_time": expiry.isoformat(),
        }

    def session(self, **more: Any) -> boto3.Session:
        credentials = botocore.credentials.RefreshableCredentials.create_from_metadata(
            self(), refresh_using=self, method="a test", **more
        )
        core = botocore.session.get_session()
        core._credentials = credentials
        return boto3.Session(botocore_session=core, region_name=self.kms.region)
