"""Which failures of a source of credentials are worth another attempt."""

import errno
import json
from typing import Any

import pytest
from botocore import exceptions

from signer_aws_kms.outages import named, remedy, will_pass


def client_error(code: str, status: int) -> exceptions.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "it said wJalrXUtnFEMI"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return exceptions.ClientError(response, "AssumeRole")


def retrieval_error(provider: str) -> exceptions.CredentialRetrievalError:
    return exceptions.CredentialRetrievalError(provider=provider, error_msg="it said wJalrXUtnFEMI")


PASSING = [
    exceptions.ConnectTimeoutError(endpoint_url="https://sts"),
    exceptions.EndpointConnectionError(endpoint_url="https://sts"),
    exceptions.ProxyConnectionError(proxy_url="http://proxy"),
    exceptions.ReadTimeoutError(endpoint_url="https://sts"),
    exceptions.ConnectionClosedError(endpoint_url="https://sts"),
    exceptions.HTTPClientError(error="an error"),
    exceptions.ResponseStreamingError(error="an error"),
    exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    exceptions.MetadataRetrievalError(error_msg="503"),
    exceptions.CapacityNotAvailableError(),
    retrieval_error("iam-role"),
    retrieval_error("container-role"),
    client_error("Throttling", 400),
    client_error("ThrottlingException", 400),
    client_error("TooManyRequestsException", 429),
    client_error("RequestLimitExceeded", 400),
    client_error("IDPCommunicationError", 400),
    client_error("InternalFailure", 500),
    client_error("ServiceUnavailable", 503),
    client_error("Unheard", 502),
    TimeoutError(),
    ConnectionResetError(),
    BlockingIOError(errno.EAGAIN, "no more processes"),
    OSError(errno.EMFILE, "too many open files"),
]
LASTING = [
    exceptions.SSLError(endpoint_url="https://sts", error="certificate"),
    exceptions.NoCredentialsError(),
    exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
    exceptions.ProfileNotFound(profile="x"),
    exceptions.ConfigParseError(path="x"),
    exceptions.TokenRetrievalError(provider="sso", error_msg="expired"),
    exceptions.UnauthorizedSSOTokenError(),
    exceptions.SSOTokenLoadError(error_msg="x"),
    exceptions.RefreshWithMFAUnsupportedError(),
    exceptions.InfiniteLoopConfigError(source_profile="x", visited_profiles=[]),
    exceptions.ParamValidationError(report="x"),
    retrieval_error("custom-process"),
    client_error("AccessDenied", 403),
    client_error("ExpiredToken", 403),
    client_error("InvalidIdentityToken", 400),
    FileNotFoundError(errno.ENOENT, "no such program"),
    PermissionError(errno.EACCES, "not a program"),
    json.JSONDecodeError("Expecting value", "wJalrXUtnFEMI", 0),
    RuntimeError("the refreshed credentials are still expired"),
    SystemExit(1),
]


@pytest.mark.parametrize("error", PASSING, ids=named)
def test_a_source_that_is_away_will_be_back(error: BaseException) -> None:
    assert will_pass(error)


@pytest.mark.parametrize("error", LASTING, ids=named)
def test_a_source_that_refuses_will_refuse_again(error: BaseException) -> None:
    assert not will_pass(error)


@pytest.mark.parametrize("error", [*PASSING, *LASTING], ids=named)
def test_an_error_is_named_without_what_the_source_said(error: BaseException) -> None:
    assert "wJalrXUtnFEMI" not in named(error)


def test_botocores_own_words_are_told_where_they_help() -> None:
    error = exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY")
    assert named(error) == "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"
    assert "aws sso login" in named(exceptions.UnauthorizedSSOTokenError())
    assert named(exceptions.InvalidConfigError(error_msg="no profile x.")) == "no profile x"


@pytest.mark.parametrize(
    "error",
    [
        exceptions.SSOTokenLoadError(error_msg="Token for corp does not exist"),
        exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
        exceptions.UnauthorizedSSOTokenError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_who_is_not_logged_in_is_told_how_to(error: BaseException) -> None:
    assert str(error).removesuffix(".") == named(error)
    assert "aws sso login" in remedy(error)


def test_the_code_of_a_refusal_by_aws_is_named() -> None:
    assert named(client_error("AccessDenied", 403)) == "AWS answered AssumeRole with AccessDenied"
    assert named(client_error("what is this?", 403)) == "ClientError"
