"""The fake KMS as an HTTP server: connections, TLS, what it does not take, and its end."""

import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from signer_aws_kms.testing import FakeKms
from tests.plugins.aws_kms.certificates import authority_and_server
from tests.plugins.aws_kms.clients import ED25519, boto3_client, post

ALIAS = "alias/sequencer"


def port(kms: FakeKms) -> int:
    return int(kms.endpoint_url.rpartition(":")[2])


def test_a_connection_is_kept(client: Any, fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    for _ in range(5):
        client.get_public_key(KeyId=ALIAS)
    assert (fake_kms.connections_opened, fake_kms.connections_open) == (1, 1)


def test_an_idle_connection_is_ended(client: Any, fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    client.get_public_key(KeyId=ALIAS)
    fake_kms.end_connections()
    client.get_public_key(KeyId=ALIAS)
    assert fake_kms.connections_opened == 2


def test_the_environment_leads_to_it(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    client = boto3.Session().client("kms")
    with contextlib.closing(client):
        assert client.get_public_key(KeyId=ALIAS)["KeyId"] == key.arn


def test_it_serves_tls(tmp_path: Path) -> None:
    authority, context = authority_and_server(tmp_path)
    with FakeKms(tls=context) as kms, boto3_client(kms, verify=str(authority)) as client:
        kms.create_key(alias=ALIAS)
        assert kms.endpoint_url.startswith("https://")
        client.sign(KeyId=ALIAS, Message=b"message", **ED25519)


def test_who_does_not_trust_it_has_no_connection(tmp_path: Path) -> None:
    _, context = authority_and_server(tmp_path)
    with FakeKms(tls=context) as kms:
        with (
            socket.create_connection(("127.0.0.1", port(kms)), 10) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
        assert kms.connections_open == 0


def test_a_body_may_be_announced(fake_kms: FakeKms) -> None:
    with socket.create_connection(("127.0.0.1", port(fake_kms)), 10) as plain:
        head = b"POST / HTTP/1.1\r\nHost: kms\r\nX-Amz-Target: TrentService.Sign\r\nContent-Length: 2\r\n"
        plain.sendall(head + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert plain.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plain.sendall(b"{}")
        with plain.makefile("rb") as answer:
            assert b"MissingAuthenticationTokenException" in answer.read()


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"x" * 70000,
    ],
)
def test_what_is_no_request_ends_the_connection(fake_kms: FakeKms, request_head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port(fake_kms)), 10) as plain, contextlib.suppress(ConnectionError):
        plain.sendall(request_head)
        assert plain.recv(1000) == b""


@pytest.mark.parametrize(
    ("target", "body", "expected"),
    [
        ("TrentService.Sign", b"<xml/>", "SerializationException"),
        ("TrentService.Sign", b"[]", "SerializationException"),
        ("TrentService.Encrypt", b"{}", "UnknownOperationException"),
        ("DynamoDB_20120810.GetItem", b"{}", "UnknownOperationException"),
    ],
)
def test_what_is_no_request_to_kms_is_refused(fake_kms: FakeKms, target: str, body: bytes, expected: str) -> None:
    assert post(fake_kms, "", body, {"X-Amz-Target": target})[1]["__type"] == expected


def test_a_request_may_come_as_to_a_proxy(fake_kms: FakeKms) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port(fake_kms), timeout=10)) as connection:
        connection.request("POST", "http://kms.example/", b"{}", {"X-Amz-Target": "TrentService.Sign"})
        assert json.loads(connection.getresponse().read())["__type"] == "MissingAuthenticationTokenException"


def test_nothing_is_left_of_a_stopped_server() -> None:
    before = set(threading.enumerate())
    kms = FakeKms().start()
    with boto3_client(kms) as client:
        kms.create_key(alias=ALIAS)
        client.get_public_key(KeyId=ALIAS)
        kms.stop()
        kms.stop()
        assert set(threading.enumerate()) <= before
        with pytest.raises(EndpointConnectionError):
            client.get_public_key(KeyId=ALIAS)


def test_a_server_that_was_not_started_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        FakeKms().endpoint_url


def test_it_runs_as_a_program() -> None:
    program = [sys.executable, "-m", "signer_aws_kms.testing", "--alias", ALIAS]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "\n")
        variables = dict(line.removeprefix("export ").rstrip().split("=", 1) for line in lines)
        client = boto3.client(
            "kms",
            endpoint_url=variables["AWS_ENDPOINT_URL_KMS"],
            region_name=variables["AWS_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )
        with contextlib.closing(client):
            client.get_public_key(KeyId=ALIAS)
        process.communicate(timeout=10)  # the end of its input ends it
    assert (process.returncode, variables["AWS_CONFIG_FILE"]) == (0, os.devnull)


def test_a_request_may_end_in_its_middle(fake_kms: FakeKms) -> None:
    with socket.create_connection(("127.0.0.1", port(fake_kms)), 10) as plain:
        plain.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}")
        plain.shutdown(socket.SHUT_WR)
        assert plain.recv(1000) == b""


def test_a_connection_with_tls_is_ended_by_a_stop(tmp_path: Path) -> None:
    authority, context = authority_and_server(tmp_path)
    with FakeKms(tls=context) as kms:
        trusting = ssl.create_default_context(cafile=authority)
        with (
            socket.create_connection(("127.0.0.1", port(kms)), 10) as plain,
            trusting.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=True) as secured,
        ):
            secured.sendall(b"POST / HTTP/1.1\r\n")
            kms.stop()
            assert secured.recv(1000) == b""
