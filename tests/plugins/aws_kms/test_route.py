"""The way to an endpoint: URLs that are none, proxies as botocore has them, nothing unencrypted beyond this machine."""

import contextlib
import os
import string
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies
from hypothesis import example, given
from hypothesis import strategies as st

from signer_aws_kms import AwsKmsConfig
from signer_aws_kms.proxy import Proxy
from signer_aws_kms.route import Route
from signer_aws_kms.session import Place, find_place, session_of
from signer_aws_kms.testing import FakeKms
from signer_core.errors import ConfigError
from signer_core.testing.secrecy import told
from tests.plugins.aws_kms.signers import opened

PASSWORD = "hidden-password"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without settings for AWS or proxies."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return monkeypatch


def found(**more: object) -> Place:
    config = AwsKmsConfig(**{"key_id": "alias/x", "region": "eu-west-1", **more})  # type: ignore[arg-type]
    return find_place(session_of(config), config)


ROUTES = {
    "https": ("https://kms.example.com", "kms.example.com", 443, "kms.example.com", "/"),
    "port": ("https://kms.example.com:8443/", "kms.example.com", 8443, "kms.example.com:8443", "/"),
    "usual port": ("https://kms.example.com:443", "kms.example.com", 443, "kms.example.com", "/"),
    "http": ("http://localhost:4566/kms", "localhost", 4566, "localhost:4566", "/kms"),
    "capitals": ("HTTPS://KMS.Example.COM/Path/", "kms.example.com", 443, "kms.example.com", "/Path/"),
    "container": ("http://local_stack:4566", "local_stack", 4566, "local_stack:4566", "/"),
    "IPv6": ("https://[0:0::1]:444", "::1", 444, "[::1]:444", "/"),
}


@pytest.mark.parametrize(("url", "host", "port", "authority", "path"), ROUTES.values(), ids=ROUTES)
def test_a_route_leads_to_its_url(url: str, host: str, port: int, authority: str, path: str) -> None:
    route = Route.to(url)
    assert (route.host, route.port, route.authority, route.target) == (host, port, authority, path)
    assert route.first == (host, port)
    assert route.tunnel is None
    assert Route.to(route.url) == route


NO_ENDPOINTS = {
    "another scheme": ("ftp://kms", "http:// or https://"),
    "no scheme": ("kms.eu-west-1.amazonaws.com", "http:// or https://"),
    "no host": ("https://", "host"),
    "no host but a port": ("https://:443", "host"),
    "no number": ("https://kms:port", "port"),
    "empty port": ("https://kms:", "port"),
    "port 0": ("https://kms:0", "port"),
    "large port": ("https://kms:65536", "port"),
    "wide digits": ("https://kms:４４３", "port"),
    "no IPv6": ("https://[1:2]", "IPv6"),
    "IPv6 zone": ("https://[fe80::1%25eth0]", "host"),
    "empty label": ("https://kms..example.com", "host"),
    "long label": (f"https://{'k' * 64}.example.com", "host"),
    "long name": (f"https://{'.'.join(['kms'] * 64)}", "host"),
    "hyphen": ("https://-kms.example.com", "host"),
    "not ASCII": ("https://kmß.example.com", "host"),
    "looks like a slash": ("https://kms.example.com℀@evil", "user"),
    "space": ("https://kms example.com", "host"),
    "line break": ("https://kms.example.com\r\nX-Header: x", "host"),
    "line break at the end": ("https://kms.example.com\n", "host"),
    "tab": ("https://kms.exa\tmple.com", "host"),
    "line break in the path": ("https://kms/path\r\nX: x", "path"),
    "space in the path": ("https://kms/a path", "path"),
    "encoded path": ("https://kms/a%20path", "path"),
    "not ASCII in the path": ("https://kms/päth", "path"),
    "two slashes": ("https://kms//path", "path"),
    "dots": ("https://kms/a/../b", "path"),
    "a dot at the end": ("https://kms/.", "path"),
    "query": ("https://kms/?a=b", "query"),
    "empty query": ("https://kms?", "query"),
    "fragment": ("https://kms/#there", "fragment"),
    "user": ("https://user@kms", "user"),
    "password": (f"https://user:{PASSWORD}@kms", "user"),
    "password with a slash": (f"https://user:{PASSWORD}/@kms", "path"),
}


@pytest.mark.parametrize(("url", "flaw"), NO_ENDPOINTS.values(), ids=NO_ENDPOINTS)
def test_what_cannot_be_an_endpoint_is_a_config_error(url: str, flaw: str) -> None:
    with pytest.raises(ConfigError, match=f"endpoint of KMS in AWS_ENDPOINT_URL is not right: .*{flaw}") as caught:
        Route.to(url, source="AWS_ENDPOINT_URL")
    assert PASSWORD not in told(caught.value)


@given(url=st.text(string.ascii_letters + string.digits + "-._~:/?#[]@!%\\ \r\n\tß\udce4").map("https://".__add__))
@example("https://[")
@example("https://kms/.well-known/..a/")
def test_an_endpoint_is_either_refused_or_goes_as_it_is_into_requests_and_signatures(url: str) -> None:
    try:
        route = Route.to(url)
    except ConfigError:
        return
    assert SigV4Auth(None, "kms", "us-east-1")._normalize_url_path(route.path) == route.path
    assert len(f"{route.target} {route.authority}".encode("ascii").split()) == 2


@pytest.mark.parametrize("region", ["ap-southeast-2", "cn-north-1", "us-gov-west-1", "us-iso-east-1"])
@pytest.mark.parametrize("variant", ["", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_the_endpoint_of_a_region_is_the_one_that_boto3_has(
    bare: pytest.MonkeyPatch, region: str, variant: str
) -> None:
    if variant:
        bare.setenv(variant, "true")
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y")
    with contextlib.closing(session.client("kms", region)) as client:
        client.meta.events.register("before-send", refuse_to_send)
        with pytest.raises(ConnectionRefusedError, match=f"^{found(region=region).endpoint}/$"):
            client.list_keys()


def refuse_to_send(request: AWSPreparedRequest, **_: object) -> None:
    raise ConnectionRefusedError(request.url)


SOURCES = {
    "AWS_ENDPOINT_URL_KMS": ({"AWS_ENDPOINT_URL_KMS": "{}"}, ""),
    "AWS_ENDPOINT_URL": ({"AWS_ENDPOINT_URL": "{}"}, ""),
    "the AWS profile": ({}, "[default]\nendpoint_url = {}\n"),
    "the services of the AWS profile": (
        {},
        "[default]\nservices = mine\n[services mine]\nkms =\n  endpoint_url = {}\n",
    ),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("url", [f"https://user:{PASSWORD}@kms", "https://kms/?a=b", "https://kms example.com"])
def test_an_endpoint_is_looked_at_wherever_it_is_configured(
    bare: pytest.MonkeyPatch, tmp_path: Path, source: str, url: str
) -> None:
    environment, file = SOURCES[source]
    Path(tmp_path, "config").write_text(file.format(url))
    for name, value in environment.items():
        bare.setenv(name, value.format(url))
    with pytest.raises(ConfigError, match=f"endpoint of KMS in {source} is not right") as caught:
        found()
    assert PASSWORD not in told(caught.value)


PROXIES = {
    "plain": ("http://proxy:3128", ("proxy", 3128), None),
    "usual port": ("http://proxy", ("proxy", 80), None),
    "slash": ("http://proxy:3128/", ("proxy", 3128), None),
    "no scheme": ("proxy:3128", ("proxy", 3128), None),
    "no scheme but slashes": ("//proxy:3128", ("proxy", 3128), None),
    "capitals": ("HTTP://Proxy:3128", ("proxy", 3128), None),
    "IPv6": ("http://[::1]:3128", ("::1", 3128), None),
    "password": ("http://us%40er:sec%2Fret@proxy:3128", ("proxy", 3128), "Basic dXNAZXI6c2VjL3JldA=="),
    "password without a scheme": ("user:secret@proxy", ("proxy", 80), "Basic dXNlcjpzZWNyZXQ="),
    "user alone": ("http://user@proxy", ("proxy", 80), "Basic dXNlcjo="),
}


@pytest.mark.parametrize(("url", "place", "authorization"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_is_read_as_botocore_reads_it(url: str, place: tuple[str, int], authorization: str | None) -> None:
    proxy = Proxy.from_url(url)
    assert ((proxy.host, proxy.port), proxy.authorization) == (place, authorization)
    assert Route.to("https://kms").through({"https": url}).first == place
    theirs = ProxyConfiguration({"https": url})
    headers = theirs.proxy_headers_for(theirs.proxy_url_for("https://kms"))
    assert authorization in (headers.get("Proxy-Authorization"), "Basic dXNlcjo=")


@pytest.mark.parametrize("kind", ["https", "socks4", "socks5", "socks5h", "ftp", PASSWORD])
def test_a_proxy_of_a_kind_that_is_not_supported_is_a_config_error(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"http:// proxies only.*HTTPS_PROXY") as caught:
        Proxy.from_url(f"{kind}://user:{PASSWORD}@proxy")
    assert PASSWORD not in told(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://proxy:port",
        "http://proxy:99999",
        "http://pro xy",
        "http://prox\u00ff:80",
        "http://proxy/path",
        f"http://user:{PASSWORD}#1@proxy:3128",
        f"http://user:1@{PASSWORD}@proxy:3128",
        f"http://user:{PASSWORD}@proxy\u2100:3128",
        f"http://user:{PASSWORD}@[::1",
    ],
)
def test_a_proxy_that_is_no_url_is_a_config_error_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"URL of the proxy.*HTTPS_PROXY") as caught:
        Proxy.from_url(url)
    assert PASSWORD not in told(caught.value)


ENVIRONMENTS = {
    "upper case": {"HTTPS_PROXY": "http://a"},
    "lower case": {"https_proxy": "http://b"},
    "both": {"HTTPS_PROXY": "http://a", "https_proxy": "http://b"},
    "lower case takes it back": {"HTTPS_PROXY": "http://a", "https_proxy": ""},
    "for all": {"ALL_PROXY": "http://a", "all_proxy": "http://b"},
    "for http": {"HTTP_PROXY": "http://a"},
    "but not here": {"HTTPS_PROXY": "http://a", "NO_PROXY": "example.org, .amazonaws.com"},
    "but not there": {"HTTPS_PROXY": "http://a", "no_proxy": "example.org"},
    "nowhere": {"HTTPS_PROXY": "http://a", "no_proxy": "*"},
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_proxy_is_the_one_that_botocore_would_take(bare: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        bare.setenv(name, value)
    url = "https://kms.eu-west-1.amazonaws.com"
    theirs = ProxyConfiguration(get_environ_proxies(url)).proxy_url_for(url)
    ours = found().route.proxy
    assert (ours and f"http://{ours.host}") == theirs


def test_the_proxies_of_a_session_go_before_those_of_the_environment(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("HTTPS_PROXY", "http://environment")
    config = AwsKmsConfig(key_id="alias/x", region="eu-west-1")
    session = session_of(config)
    session.set_default_client_config(Config(proxies={"https": "http://session"}))
    assert find_place(session, config).route.first == ("session", 80)
    session.set_default_client_config(Config(proxies={}))
    assert find_place(session, config).route.proxy is None


def test_the_default_configuration_of_a_session_goes_before_its_variables(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    bare.setenv("AWS_ENDPOINT_URL_KMS", "https://kms.example.com")
    config = AwsKmsConfig(key_id="alias/x")
    session = session_of(config)
    session.set_default_client_config(
        Config(region_name="us-west-2", use_fips_endpoint=True, ignore_configured_endpoint_urls=True)
    )
    assert find_place(session, config).endpoint == "https://kms-fips.us-west-2.amazonaws.com"


def test_a_client_certificate_of_a_session_is_a_config_error(bare: pytest.MonkeyPatch) -> None:
    config = AwsKmsConfig(key_id="alias/x", region="eu-west-1")
    session = session_of(config)
    session.set_default_client_config(Config(client_cert="client.pem"))
    with pytest.raises(ConfigError, match="client_cert"):
        find_place(session, config)


def test_what_is_not_encrypted_does_not_leave_this_machine_through_a_proxy(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:{PASSWORD}@proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(ConfigError, match=r"not encrypted.*proxy\.example\.com.*127\.0\.0\.1 to NO_PROXY") as caught:
        opened()
    assert PASSWORD not in told(caught.value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    fake_kms.create_key(alias="alias/sequencer")
    opened().close()


PRIVATE = {
    "encrypted": ("https://kms.example.com", {"https": "http://proxy"}, True),
    "to this machine": ("http://127.0.0.1:4566", {}, True),
    "to this machine, by IPv6": ("http://[::1]:4566", {}, True),
    "to this machine, by name": ("http://localhost:4566", {"https": "http://proxy"}, True),
    "through this machine to itself": ("http://localhost", {"http": "http://127.0.0.1:3128"}, True),
    "through this machine to another": ("http://kms.example.com", {"http": "http://127.0.0.1:3128"}, False),
    "through another to this one": ("http://localhost", {"http": "http://proxy"}, False),
    "to another": ("http://kms.example.com", {}, False),
    "to another that sounds alike": ("http://localhost.example.com", {}, False),
    "to any": ("http://0.0.0.0", {}, False),
}


@pytest.mark.parametrize(("url", "proxies", "private"), PRIVATE.values(), ids=PRIVATE)
def test_a_route_tells_whether_anybody_can_read_along(url: str, proxies: dict[str, str], private: bool) -> None:
    assert Route.to(url).through(proxies).is_private is private


def test_what_is_not_encrypted_may_be_allowed(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    place = found(endpoint_url="http://kms.example.com", allow_http=True)
    assert place.route.first == ("proxy.example.com", 3128)
    assert place.route.target == "http://kms.example.com/"
