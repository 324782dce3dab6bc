"""Connections: opened along a route, to an address that answers, through proxies and TLS, and alive when used."""

import contextlib
import gc
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signer_aws_kms import AwsKmsConfig
from signer_aws_kms.addresses import Address, Addresses
from signer_aws_kms.connection import Connection
from signer_aws_kms.dialer import Dialer
from signer_aws_kms.route import Route
from signer_aws_kms.session import find_place, session_of
from signer_aws_kms.testing import FakeKms
from signer_aws_kms.tls import client_context
from signer_core import Deadline
from signer_core.errors import BackendUnavailableError, ConfigError, DeadlineExceededError
from tests.plugins.aws_kms.certificates import authority_and_server
from tests.plugins.aws_kms.peers import BUDGET, PATIENCE, Measured, answering, http, peer, request_from
from tests.plugins.aws_kms.signers import ALIAS, opened

REQUEST = b"POST / HTTP/1.1\r\nHost: kms\r\nContent-Length: 0\r\n\r\n"


def test_signing_over_tls(tls_kms: FakeKms) -> None:
    with opened() as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")
    assert tls_kms.connections_opened == 1


def test_authorities_may_be_in_requests_ca_bundle(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.environ["AWS_CA_BUNDLE"])
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with opened() as signer:
        signer.sign(b"message")


@pytest.mark.peer("openssl")
def test_authorities_may_be_in_a_directory(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    directory = tmp_path / "authorities"
    directory.mkdir()
    Path(directory, "authority.pem").write_bytes(Path(os.environ["AWS_CA_BUNDLE"]).read_bytes())
    subprocess.run(["openssl", "rehash", directory], check=True)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(directory))
    with opened() as signer:
        signer.sign(b"message")


def test_a_ca_bundle_that_is_not_there_is_a_config_error(
    tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError, match=r"missing\.pem.*AWS_CA_BUNDLE"):
        opened()


def test_authorities_that_were_replaced_are_read_anew_when_a_certificate_is_not_trusted(
    tls_kms: FakeKms, tmp_path: Path
) -> None:
    """A process that runs for years outlives the authorities of a company's proxy."""
    (tmp_path / "old").mkdir()
    bundle, _ = authority_and_server(tmp_path / "old")
    dialer = Dialer(Route.to(tls_kms.endpoint_url), lambda: client_context(str(bundle)))
    with pytest.raises(ssl.SSLCertVerificationError):
        dialer.open(Deadline.after(PATIENCE))
    bundle.write_bytes(Path(os.environ["AWS_CA_BUNDLE"]).read_bytes())
    dialer.open(Deadline.after(PATIENCE)).close()


def test_a_ca_bundle_that_cannot_be_read_in_time_is_read_once_and_served_late(tls_kms: FakeKms, tmp_path: Path) -> None:
    """A pipe into which nobody writes is like a network file system that is away."""
    bundle = tmp_path / "pipe.pem"
    os.mkfifo(bundle)
    dialer = Dialer(Route.to(tls_kms.endpoint_url), lambda: client_context(str(bundle)))
    for _ in range(3):
        with pytest.raises(DeadlineExceededError):
            dialer.open(Deadline.after(0.05))
    bundle.write_bytes(Path(os.environ["AWS_CA_BUNDLE"]).read_bytes())
    dialer.open(Deadline.after(PATIENCE)).close()


def test_opening_ends_in_time_when_the_ca_bundle_cannot_be_read(
    tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "pipe.pem"
    os.mkfifo(bundle)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with Measured(), pytest.raises(DeadlineExceededError, match=r"GetPublicKey .* had no answer in time"):
        opened(timeout=BUDGET)
    writing = os.open(bundle, os.O_RDWR | os.O_NONBLOCK)  # lets the thread go that still reads, if there is one
    os.close(writing)


def test_a_socket_is_closed_that_the_server_resets_before_tls_begins() -> None:
    """CPython below 3.13 forgets to close it when it is wrapped."""
    over = threading.Event()

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        over.set()

    def tls() -> ssl.SSLContext:
        assert over.wait(PATIENCE)
        return ssl.create_default_context()

    with peer(reset) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dialer = Dialer(Route.to(f"https://127.0.0.1:{server.port}"), tls)
        with contextlib.suppress(OSError):
            dialer.open(Deadline.after(PATIENCE))
        gc.collect()
    assert over.is_set()
    assert [str(each.message) for each in caught] == []


def test_a_certificate_for_another_name_is_refused(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **more: real("127.0.0.1", *rest, **more))
    url = tls_kms.endpoint_url.replace("127.0.0.1", "kms.example.com")
    with pytest.raises(BackendUnavailableError, match="not trusted"):
        opened(endpoint_url=url)


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def tunnelling(
    to_port: int, *, established: bytes = ESTABLISHED, refuse: bytes | None = None
) -> tuple[Callable[[socket.socket], None], list[bytes]]:
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
                connection.sendall(established)
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


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "299 Whatever"])
def test_a_proxy_connects_by_any_success(tls_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    script, _ = tunnelling(
        int(tls_kms.endpoint_url.rpartition(":")[2]), established=f"HTTP/1.1 {status}\r\n\r\n".encode()
    )
    with peer(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        with opened() as signer:
            signer.sign(b"message")


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


@pytest.fixture(params=["plain", "TLS"])
def dialled(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[Callable[[socket.socket], None]], Connection]]:
    """Connects to a server that does as the script says, plainly and with TLS."""
    authority, context = authority_and_server(tmp_path)
    with contextlib.ExitStack() as stack:

        def dial(script: Callable[[socket.socket], None]) -> Connection:
            def secured(connection: socket.socket) -> None:
                with context.wrap_socket(connection, server_side=True) as inside:
                    script(inside)

            server = stack.enter_context(peer(script if request.param == "plain" else secured))
            scheme = "http" if request.param == "plain" else "https"
            dialer = Dialer(
                Route.to(f"{scheme}://127.0.0.1:{server.port}"), lambda: ssl.create_default_context(cafile=authority)
            )
            connection = dialer.open(Deadline.after(PATIENCE))
            stack.callback(connection.close)
            return connection

        yield dial


def test_a_connection_is_quiet_between_answers(dialled: Callable[..., Connection]) -> None:
    connection = dialled(answering(http(b"one"), http(b"two")))
    for body in (b"one", b"two"):
        assert connection.exchange(REQUEST, Deadline.after(PATIENCE)).body == body
        assert connection.is_quiet()


def test_a_connection_that_the_server_closed_is_not_quiet(dialled: Callable[..., Connection]) -> None:
    def closing(connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(http())

    connection = dialled(closing)
    connection.exchange(REQUEST, Deadline.after(PATIENCE))
    assert becomes_loud(connection)


def test_a_connection_on_which_the_server_says_more_is_not_quiet(dialled: Callable[..., Connection]) -> None:
    go = threading.Event()

    def saying_more(connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(http())
        assert go.wait(PATIENCE)
        connection.sendall(http())
        connection.recv(1)

    connection = dialled(saying_more)
    connection.exchange(REQUEST, Deadline.after(PATIENCE))
    assert connection.is_quiet()
    go.set()
    assert becomes_loud(connection)


def becomes_loud(connection: Connection) -> bool:
    """As soon as what the server does has arrived."""
    deadline = Deadline.after(PATIENCE)
    while connection.is_quiet():
        deadline.check()
    return True


V6 = (socket.AF_INET6, ("2001:db8::1", 443, 0, 0))
OTHER_V6 = (socket.AF_INET6, ("2001:db8::2", 443, 0, 0))
V4 = (socket.AF_INET, ("192.0.2.1", 443))
OTHER_V4 = (socket.AF_INET, ("192.0.2.2", 443))


def order(addresses: Addresses, *found: Address) -> list[Address]:
    """The order in which addresses are tried when the resolver gives them as they stand here."""
    answer = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
        return addresses.in_order(Deadline.after(PATIENCE))


def test_addresses_are_tried_in_the_order_of_the_resolver() -> None:
    addresses = Addresses("kms.example.com", 443)
    assert order(addresses, V6, V4, OTHER_V6) == [V6, V4, OTHER_V6]


def test_an_address_of_the_kind_that_works_is_tried_first() -> None:
    addresses = Addresses("kms.example.com", 443)
    addresses.took(V4)
    assert order(addresses, V6, OTHER_V4, V4) == [OTHER_V4, V4, V6]


def test_an_address_that_failed_is_tried_last_until_it_works_again() -> None:
    addresses = Addresses("kms.example.com", 443)
    addresses.failed(V4)
    assert order(addresses, V4, OTHER_V4) == [OTHER_V4, V4]
    addresses.took(V4)
    assert order(addresses, V4, OTHER_V4) == [V4, OTHER_V4]


def test_an_address_that_the_resolver_forgot_is_forgotten() -> None:
    addresses = Addresses("kms.example.com", 443)
    addresses.failed(V4)
    order(addresses, OTHER_V4)
    assert order(addresses, V4, OTHER_V4) == [V4, OTHER_V4]


@pytest.mark.parametrize(("host", "family"), [("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6)])
def test_an_address_in_the_url_is_not_resolved(host: str, family: socket.AddressFamily) -> None:
    assert Addresses(host, 443).in_order(Deadline.after(PATIENCE)) == [(family, (host, 443))]


def test_a_dead_address_costs_its_time_once() -> None:
    """The second connection is made with a deadline that would not suffice for waiting for the dead address again."""
    with nobody_accepts() as dead, peer(answering(http())) as server:
        found = [(socket.AF_INET, 0, 0, "", ("127.0.0.1", port)) for port in (dead, server.port)]
        dialer = Dialer(Route.to("http://kms.example.com"), ssl.create_default_context)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            started = time.monotonic()
            dialer.open(Deadline.after(1)).close()
            assert time.monotonic() - started > 0.4
            with Measured(0):
                dialer.open(Deadline.after(PATIENCE)).close()


@contextlib.contextmanager
def nobody_accepts() -> Iterator[int]:
    """A port of this machine whose queue of connections is full, so that connecting to it hangs."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1))
        for _ in range(8):
            each = stack.enter_context(socket.socket())
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def test_tls_below_1_2_is_not_spoken() -> None:
    config = AwsKmsConfig(key_id="alias/x", region="us-east-1")
    context = find_place(session_of(config), config).tls()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
