"""The way to an endpoint: which machine to connect to, and through which proxy."""

import base64
from collections.abc import Mapping
from typing import Self
from urllib.parse import unquote, urlsplit

import attrs

from signer_core.errors import ConfigError

_PORTS = {"http": 80, "https": 443}


@attrs.frozen
class Proxy:
    """An HTTP proxy, spoken to in plain HTTP."""

    host: str
    port: int
    #: The value of ``Proxy-Authorization``, or None.
    authorization: str | None = attrs.field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """The proxy of an AWS or environment setting such as ``http://user:password@proxy:3128``."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        # the message does not repeat the URL, which may hold a password
        if parts.scheme != "http" or not parts.hostname:
            raise ConfigError(
                f"a proxy of the kind {parts.scheme}:// is set, and KMS is reached through http:// proxies only",
                remedy="set HTTPS_PROXY to http://HOST:PORT (what passes is encrypted all the same), or NO_PROXY",
            )
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return cls(parts.hostname, parts.port or _PORTS["http"], authorization)


@attrs.frozen
class Route:
    """The way to one endpoint."""

    host: str
    port: int
    tls: bool
    path: str
    proxy: Proxy | None

    @classmethod
    def to(cls, url: str, proxies: Mapping[str, str]) -> Self:
        """The way to ``url``, through the proxy that ``proxies`` has for its scheme. Raises ``ConfigError``."""
        parts = urlsplit(url)
        try:
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            port = None
        if port is None or not parts.hostname:
            raise ConfigError(
                f"the endpoint of KMS is {url!r}, which is no http:// or https:// URL",
                remedy="correct endpoint_url, or AWS's own setting of it",
            )
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        return cls(
            parts.hostname, port, parts.scheme == "https", parts.path or "/", Proxy.from_url(proxy) if proxy else None
        )

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """What the request line asks for: to a proxy that passes requests on, the whole URL."""
        return f"http://{self.authority}{self.path}" if self.proxy is not None and not self.tls else self.path

    @property
    def tunnel(self) -> bytes | None:
        """What a proxy is asked, so that TLS passes through it to the endpoint; None where nothing is."""
        if self.proxy is None or not self.tls:
            return None
        host = f"[{self.host}]" if ":" in self.host else self.host
        asked = [f"CONNECT {host}:{self.port} HTTP/1.1", f"Host: {host}:{self.port}", *self._to_the_proxy]
        return "\r\n".join([*asked, "", ""]).encode("latin-1")

    @property
    def headers(self) -> tuple[str, ...]:
        """The header lines of a request that are for a proxy which passes it on."""
        return () if self.tls else self._to_the_proxy

    @property
    def _to_the_proxy(self) -> tuple[str, ...]:
        if self.proxy is None or self.proxy.authorization is None:
            return ()
        return (f"Proxy-Authorization: {self.proxy.authorization}",)
