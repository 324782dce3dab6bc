"""Plain boto3 clients, and plain HTTP, for the tests of the fake KMS."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from signer_aws_kms.testing import FakeKms, Identity

ED25519 = {"SigningAlgorithm": "ED25519_SHA_512"}
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, read_timeout=10)

_session = boto3.Session()  # loading KMS's service model takes a while: once is enough


@contextlib.contextmanager
def boto3_client(kms: FakeKms, identity: Identity | None = None, **options: Any) -> Iterator[Any]:
    """A client that tries once; the administrator's, unless told otherwise."""
    identity = identity or kms.identity
    client = _session.client(
        "kms",
        endpoint_url=kms.endpoint_url,
        aws_access_key_id=identity.access_key_id,
        aws_secret_access_key=identity.secret_access_key,
        aws_session_token=identity.session_token,
        **{"region_name": kms.region, "config": ONE_ATTEMPT, **options},
    )
    try:
        yield client
    finally:
        client.close()


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    """The code and message of the error that the call ends in."""
    with pytest.raises(ClientError) as failure:
        call(**parameters)
    error = failure.value.response["Error"]
    return error["Code"], error["Message"]


def code(call: Any, **parameters: Any) -> str:
    """The code of the error that the call ends in."""
    return refusal(call, **parameters)[0]


def signed_headers(kms: FakeKms, body: bytes, *, operation: str = "GetPublicKey", **scope: str) -> dict[str, str]:
    """The headers of a right request, by botocore."""
    request = botocore.awsrequest.AWSRequest(
        "POST", kms.endpoint_url + "/", {"X-Amz-Target": f"TrentService.{operation}"}, body
    )
    credentials = botocore.credentials.Credentials(kms.identity.access_key_id, kms.identity.secret_access_key)
    service, region = scope.get("service", "kms"), scope.get("region", kms.region)
    botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    return dict(request.headers.items())


def post(kms: FakeKms, operation: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The status and content that an HTTP request as given is answered with."""
    port = int(kms.endpoint_url.rpartition(":")[2])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/", body, {"X-Amz-Target": f"TrentService.{operation}", **headers})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
