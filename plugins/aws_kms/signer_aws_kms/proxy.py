"""A proxy on the way to an endpoint, as AWS's settings and the environment name it."""

import base64
from typing import Self
from urllib.parse import unquote

import attrs

from signer_aws_kms.hosts import host_and_port
from signer_core.errors import ConfigError

_OTHER_KINDS = ("https", "socks4", "socks4a", "socks5", "socks5h")
_REMEDY = "set HTTPS_PROXY to http://HOST:PORT (what passes is encrypted all the same), or NO_PROXY"


@attrs.frozen
class Proxy:
    """An HTTP proxy, spoken to in plain HTTP."""

    host: str
    port: int
    #: The value of ``Proxy-Authorization``, or None.
    authorization: str | None = attrs.field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """The proxy of a setting such as ``http://user:password@proxy:3128``, where ``http://`` may be left out.

        Raises ``ConfigError``, which does not repeat the URL: it may hold a password.
        """
        scheme, slashes, rest = url.partition("//")
        kind = scheme.removesuffix(":").lower() if slashes else ""
        if kind not in ("", "http"):
            what = f"of the kind {kind}://" if kind in _OTHER_KINDS else "of an unknown kind"
            raise ConfigError(f"a proxy {what} is set, and KMS is reached through http:// proxies only", remedy=_REMEDY)
        user, at, authority = (rest if slashes else url).removesuffix("/").rpartition("@")
        try:
            if any(each in user for each in "/?#@"):
                raise ValueError("its user or password is not %-encoded")
            host, port = host_and_port(authority, 80)
        except ValueError as error:
            raise ConfigError(f"the URL of the proxy that is set is not right: {error}", remedy=_REMEDY) from error
        return cls(host, port, _basic(user) if at else None)


def _basic(user: str) -> str:
    """The header's value for ``user:password`` as URLs have them."""
    name, _, password = user.partition(":")
    pair = f"{unquote(name)}:{unquote(password)}".encode("utf-8", "surrogateescape")
    return f"Basic {base64.b64encode(pair).decode()}"
