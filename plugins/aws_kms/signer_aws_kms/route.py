"""The way to an endpoint: which machine to connect to, and through which proxy."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import attrs

from signer_aws_kms.hosts import host_and_port, in_url, is_loopback
from signer_core.errors import ConfigError

if TYPE_CHECKING:
    from signer_aws_kms.proxy import Proxy

_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
#: What stands for itself in a request line and in a signature alike, whoever normalises it.
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")


@attrs.frozen
class Route:
    """The way to one endpoint."""

    host: str
    port: int
    tls: bool
    path: str
    proxy: "Proxy | None" = None

    @classmethod
    def to(cls, url: str, *, source: str = "endpoint_url") -> Self:
        """The way to ``url``, which was set by ``source``, without a proxy.

        Raises ``ConfigError``, which does not repeat the URL: somebody may have put a password into it.
        """
        try:
            return cls(*_parsed(url))
        except ValueError as error:
            raise ConfigError(
                f"the endpoint of KMS in {source} is not right: {error}",
                remedy="write https://HOST, https://HOST:PORT or https://HOST:PORT/PATH",
            ) from error

    def through(self, proxies: Mapping[str, str]) -> "Route":
        """This way, through the proxy that ``proxies`` has for its scheme, if any. Raises ``ConfigError``."""
        url = proxies.get("https" if self.tls else "http")
        if not url:
            return self
        from signer_aws_kms.proxy import Proxy

        return attrs.evolve(self, proxy=Proxy.from_url(url))

    @property
    def url(self) -> str:
        """The endpoint's."""
        return f"{'https' if self.tls else 'http'}://{self.authority}{'' if self.path == '/' else self.path}"

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them: the port only where it is not the usual one."""
        usual = self.port == _PORTS["https" if self.tls else "http"]
        return in_url(self.host) if usual else f"{in_url(self.host)}:{self.port}"

    @property
    def first(self) -> tuple[str, int]:
        """Host and port of the machine to connect to."""
        return (self.host, self.port) if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def is_private(self) -> bool:
        """Nobody on the way can read along: it is encrypted, or does not leave this machine."""
        return self.tls or (is_loopback(self.host) and is_loopback(self.first[0]))

    @property
    def target(self) -> str:
        """What the request line asks for: to a proxy that passes requests on, the whole URL."""
        return f"http://{self.authority}{self.path}" if self.proxy is not None and not self.tls else self.path

    @property
    def tunnel(self) -> bytes | None:
        """What a proxy is asked, so that TLS passes through it to the endpoint; None where nothing is."""
        if self.proxy is None or not self.tls:
            return None
        authority = f"{in_url(self.host)}:{self.port}"
        asked = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}", *self._to_the_proxy]
        return "\r\n".join([*asked, "", ""]).encode("ascii")

    @property
    def headers(self) -> tuple[str, ...]:
        """The header lines of a request that are for a proxy which passes it on."""
        return () if self.tls else self._to_the_proxy

    @property
    def _to_the_proxy(self) -> tuple[str, ...]:
        if self.proxy is None or self.proxy.authorization is None:
            return ()
        return (f"Proxy-Authorization: {self.proxy.authorization}",)


def _parsed(url: str) -> tuple[str, int, bool, str]:
    """Host, port, whether TLS is spoken, and path. Raises ``ValueError``, which does not repeat the URL."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("it is no http:// or https:// URL")
    scheme, authority, path, more = match.groups()
    if "@" in authority:
        raise ValueError("it has a user or a password")
    if more:
        raise ValueError("it has a query or a fragment")
    if not _PATH.fullmatch(path):
        raise ValueError("its path may have letters, digits and -._~ between single slashes")
    host, port = host_and_port(authority, _PORTS[scheme.lower()])
    return host, port, scheme.lower() == "https", path or "/"
