"""The way of a request to KMS and of its answer back: HTTP, TLS, proxies, clocks."""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signer_aws_kms.answer import Answer, GarbledError, read_answer
from signer_aws_kms.route import Route
from signer_aws_kms.testing import FakeKms
from signer_core import create_signer
from signer_core.errors import AccessDeniedError, BackendUnavailableError, ConfigError
from tests.plugins.aws_kms.certificates import authority_and_server
from tests.plugins.aws_kms.peers import PATIENCE, answering, http, peer
from tests.plugins.aws_kms.signers import ALIAS, opened, options


def read(*chunks: bytes) -> Answer:
    stream: Iterator[bytes] = iter(chunks)
    return read_answer(lambda: next(stream, b""))


WHOLE: dict[str, tuple[bytes, bytes, bool]] = {
    "length": (http(b"body"), b"body", True),
    "empty": (http(b""), b"", True),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nbo\r\n2\r\ndy\r\n0\r\nT: r\r\n\r\n",
        b"body",
        True,
    ),
    "to the end": (b"HTTP/1.1 200 OK\r\n\r\nbody", b"body", False),
    "closing": (http(b"body", headers="Connection: close\r\n"), b"body", False),
    "closing, as one of several options": (
        http(b"body", headers="Connection: keep-alive , Close\r\n"),
        b"body",
        False,
    ),
    "not closing": (http(b"body", headers="Connection: closed, not-close\r\n"), b"body", True),
    "HTTP/1.0": (http(b"body").replace(b"1.1", b"1.0"), b"body", False),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"body"), b"body", True),
    "with more": (http(b"body") + b"more", b"body", False),
}


@pytest.mark.parametrize(("data", "body", "reusable"), WHOLE.values(), ids=WHOLE)
def test_an_answer_is_read_whole_however_it_is_cut(data: bytes, body: bytes, reusable: bool) -> None:
    answer = read(data)
    assert (answer.body, answer.reusable) == (body, reusable)
    bytewise = read(*(data[index : index + 1] for index in range(len(data))))
    assert bytewise.body == body


GARBLED = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1 \r\n\r\n",
    "wide digits": "HTTP/1.1 ２００ OK\r\n\r\n".encode(),
    "no colon": b"HTTP/1.1 200 OK\r\nheader\r\n\r\n",
    "cut head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut body": http(b"body")[:-1],
    "negative": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "no number": b"HTTP/1.1 200 OK\r\nContent-Length: 4x\r\n\r\nbody",
    "too large": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
    "endless": b"HTTP/1.1 200 OK\r\n\r\n" + bytes(2_000_000),
    "endless head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "gzip": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "wrong chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbodyyy",
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo",
}


@pytest.mark.parametrize("data", GARBLED.values(), ids=GARBLED)
def test_what_is_no_whole_answer_is_refused(data: bytes) -> None:
    with pytest.raises(GarbledError):
        read(data)


ROUTES = {
    "https": ("https://kms.example.com", "kms.example.com", 443, "kms.example.com", "/"),
    "port": ("https://kms.example.com:8443/", "kms.example.com", 8443, "kms.example.com:8443", "/"),
    "http": ("http://localhost:4566/kms", "localhost", 4566, "localhost:4566", "/kms"),
    "IPv6": ("https://[::1]:444", "::1", 444, "[::1]:444", "/"),
}


@pytest.mark.parametrize(("url", "host", "port", "authority", "path"), ROUTES.values(), ids=ROUTES)
def test_a_route_leads_to_its_url(url: str, host: str, port: int, authority: str, path: str) -> None:
    route = Route.to(url, {})
    assert (route.host, route.port, route.authority, route.target) == (host, port, authority, path)
    assert route.tunnel is None


@pytest.mark.parametrize("url", ["https://kms:port", "ftp://kms", "https://"])
def test_a_route_to_no_url_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="endpoint"):
        Route.to(url, {})


def test_a_proxy_of_a_kind_that_is_not_supported_is_a_config_error_without_its_password() -> None:
    with pytest.raises(ConfigError, match="socks5") as caught:
        Route.to("https://kms", {"https": "socks5://user:hidden-password@proxy"})
    assert "hidden-password" not in str(caught.value)


@pytest.fixture
def tls_kms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    """A fake KMS that shows a certificate, which AWS_CA_BUNDLE vouches for."""
    authority, context = authority_and_server(tmp_path)
    with FakeKms(tls=context) as kms:
        for name, value in {**kms.environment(), "AWS_CA_BUNDLE": str(authority)}.items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        yield kms


def test_signing_over_tls(tls_kms: FakeKms) -> None:
    with opened() as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")
    assert tls_kms.connections_opened == 1


def test_authorities_may_be_in_requests_ca_bundle(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.environ["AWS_CA_BUNDLE"])
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with opened() as signer:
        signer.sign(b"message")


def test_a_ca_bundle_that_is_not_there_is_a_config_error(
    tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError, match=r"missing\.pem.*AWS_CA_BUNDLE"):
        opened()


def test_a_certificate_for_another_name_is_refused(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **more: real("127.0.0.1", *rest, **more))
    url = tls_kms.endpoint_url.replace("127.0.0.1", "kms.example.com")
    with pytest.raises(BackendUnavailableError, match="not trusted"):
        opened(endpoint_url=url)


def tunnelling(to_port: int, *, refuse: bytes | None = None) -> tuple[Callable[[socket.socket], None], list[bytes]]:
    """A proxy that connects whoever asks to ``to_port``; and the heads of what it was asked."""
    asked: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        except OSError:
            pass
        finally:
            for each in (source, sink):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def script(connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        asked.append(data.partition(b"\r\n\r\n")[0])
        if refuse is not None:
            connection.sendall(refuse)
            return
        with socket.create_connection(("127.0.0.1", to_port)) as upstream:
            if data.startswith(b"CONNECT"):
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(data)
            back = threading.Thread(target=pump, args=(upstream, connection), daemon=True)
            back.start()
            pump(connection, upstream)
            back.join(PATIENCE)

    return script, asked


def test_tls_passes_through_a_proxy(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    script, asked = tunnelling(int(tls_kms.endpoint_url.rpartition(":")[2]))
    with peer(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:secret@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        with opened() as signer:
            signer.public_key.verify(signer.sign(b"message"), b"message")
    (head,) = asked
    authority = tls_kms.endpoint_url.removeprefix("https://").encode()
    assert head.startswith(b"CONNECT " + authority + b" HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNAZXI6c2VjcmV0" in head


def test_the_proxy_is_not_told_what_only_kms_is_to_know(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    script, asked = tunnelling(int(tls_kms.endpoint_url.rpartition(":")[2]))
    with peer(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:proxy-password@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        with opened() as signer:
            signer.sign(b"message")
    assert "proxy-authorization" not in tls_kms.received[-1].headers
    assert b"AWS4" not in b"".join(asked)


def test_plain_http_is_passed_on_by_a_proxy(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kms.create_key(alias=ALIAS)
    script, asked = tunnelling(int(fake_kms.endpoint_url.rpartition(":")[2]))
    with peer(script) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        with opened() as signer:
            signer.sign(b"message")
    assert b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in asked[0]
    assert asked[0].startswith(f"POST {fake_kms.endpoint_url}/ HTTP/1.1".encode())


def test_no_proxy_is_heeded(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with opened() as signer:
        signer.sign(b"message")


@pytest.mark.parametrize(
    ("status", "retryable", "remedy"), [(407, False, "password"), (403, False, "rules"), (503, True, "rules")]
)
def test_a_proxy_that_refuses(
    tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, status: int, retryable: bool, remedy: str
) -> None:
    script, _ = tunnelling(0, refuse=http(b"no", status=f"{status} No"))
    with peer(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(BackendUnavailableError, match=f"the proxy answered {status}.*{remedy}") as caught:
            opened()
    assert caught.value.retryable is retryable


def test_a_name_is_resolved(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened(endpoint_url=fake_kms.endpoint_url.replace("127.0.0.1", "localhost")) as signer:
        signer.sign(b"message")


def test_the_next_address_is_tried_where_one_takes_no_connection(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kms.create_key(alias=ALIAS)
    port = int(fake_kms.endpoint_url.rpartition(":")[2])
    with peer(answering(http())) as server:
        closed = server.port
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each)) for each in (closed, port)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with opened(endpoint_url=f"http://localhost:{port}") as signer:
            signer.sign(b"message")


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_a_wrong_clock_is_set_right_once_by_the_servers_date(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    with FakeKms(clock=lambda: time.time() + seconds) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        with caplog.at_level(logging.WARNING), opened() as signer:
            signer.sign(b"message")
        assert kms.requests == {"GetPublicKey": 2, "Sign": 1}
    assert "clock differs" in caplog.text


def test_a_clock_that_is_right_is_not_blamed_for_a_wrong_secret(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another secret access key")
    with pytest.raises(AccessDeniedError):
        opened()
    assert fake_kms.requests == {"GetPublicKey": 1}


def test_the_request_is_json_1_1(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.sign(b"message")
    headers = fake_kms.received[-1].headers
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amz-target"] == "TrentService.Sign"
    assert headers["user-agent"].startswith("signer-aws-kms/")


def test_no_json_number_is_taken_for_an_object(fake_kms: FakeKms) -> None:
    with peer(answering(http(json.dumps(7).encode()))) as server, pytest.raises(BackendUnavailableError):
        create_signer(options(endpoint_url=f"http://127.0.0.1:{server.port}", max_retries=0))


def test_tls_below_1_2_is_not_spoken() -> None:
    from signer_aws_kms import AwsKmsConfig
    from signer_aws_kms.session import find_place, session_of

    config = AwsKmsConfig(key_id="alias/x", region="us-east-1")
    context = find_place(session_of(config), config).tls()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
