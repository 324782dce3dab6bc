"""Our SigV4, held to AWS's published test vectors and to botocore's result."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from signer_aws_kms.route import Route
from signer_aws_kms.sigv4 import SigV4, canonical_request, timestamp
from signer_core.errors import ConfigError

VECTORS = json.loads((Path(__file__).parent / "sigv4-vectors.json").read_text("utf-8"))
KEYS = ReadOnlyCredentials(VECTORS["access_key"], VECTORS["secret_key"], None, None)


def is_taken(path: str) -> bool:
    """Whether an endpoint may have this path."""
    try:
        return Route.to(f"https://kms.example.com:8443{path}").path == (path or "/")
    except ConfigError:
        return False


every_case = pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])


def headers_of(case: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in case["headers"]}


@every_case
def test_the_canonical_request_is_the_one_of_awss_test_suite(case: dict[str, Any]) -> None:
    actual, _ = canonical_request(case["method"], case["path"], headers_of(case), case["body"].encode())
    assert actual.decode() == case["canonical_request"]


@every_case
def test_the_authorization_is_the_one_of_awss_test_suite(case: dict[str, Any]) -> None:
    headers = headers_of(case)
    actual = SigV4(VECTORS["region"], VECTORS["service"]).authorization(
        KEYS,
        method=case["method"],
        path=case["path"],
        headers=headers,
        body=case["body"].encode(),
        at=headers["x-amz-date"],
    )
    assert actual == case["authorization"]


paths = st.from_regex(r"(/[A-Za-z0-9._~-]{1,8}){0,4}/?", fullmatch=True)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(
    body=st.binary(max_size=300),
    access_key=texts,
    secret_key=texts,
    token=st.none() | texts,
    region=st.sampled_from(["us-east-1", "eu-central-2", "us-gov-west-1", "cn-north-1"]),
    seconds=st.integers(0, 4_000_000_000),
    path=paths.filter(is_taken),
    operation=st.sampled_from(["Sign", "GetPublicKey"]),
)
def test_a_request_is_signed_as_botocore_signs_it(
    body: bytes,
    access_key: str,
    secret_key: str,
    token: str | None,
    region: str,
    seconds: int,
    path: str,
    operation: str,
) -> None:
    keys = ReadOnlyCredentials(access_key, secret_key, token, None)
    at = timestamp(seconds)
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "host": "kms.example.com:8443",
        "x-amz-date": at,
        "x-amz-target": f"TrentService.{operation}",
        **({"x-amz-security-token": token} if token else {}),
    }
    request = AWSRequest("POST", f"https://kms.example.com:8443{path}", headers=headers, data=body)
    request.context["timestamp"] = at
    theirs = SigV4Auth(keys, "kms", region)
    to_sign = theirs.string_to_sign(request, theirs.canonical_request(request))
    expected = theirs.signature(to_sign, request)
    ours = SigV4(region, "kms").authorization(keys, method="POST", path=path or "/", headers=headers, body=body, at=at)
    assert ours.rpartition("Signature=")[2] == expected
    assert f"Credential={access_key}/{at[:8]}/{region}/kms/aws4_request" in ours


def test_the_timestamp_is_utc() -> None:
    moment = dt.datetime(2015, 8, 30, 12, 36, 0, tzinfo=dt.UTC)
    assert timestamp(moment.timestamp()) == "20150830T123600Z"


def test_the_signing_key_is_derived_anew_for_another_day_and_another_secret() -> None:
    other = ReadOnlyCredentials(KEYS.access_key, "another secret", None, None)

    def signed(signature: SigV4, keys: ReadOnlyCredentials, at: str) -> str:
        return signature.authorization(keys, method="POST", path="/", headers={"host": "kms"}, body=b"", at=at)

    in_use = SigV4("us-east-1", "kms")
    for keys, at in [
        (KEYS, "20150830T123600Z"),
        (KEYS, "20150831T123600Z"),
        (other, "20150831T123600Z"),
        (KEYS, "20150830T123600Z"),
    ]:
        assert signed(in_use, keys, at) == signed(SigV4("us-east-1", "kms"), keys, at)
