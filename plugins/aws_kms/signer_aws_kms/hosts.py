"""Hosts and ports as URLs have them, and which hosts are this machine."""

import ipaddress
import re

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_AUTHORITY = re.compile(
    rf"(?:(?P<name>{_LABEL}(?:\.{_LABEL})*)|\[(?P<address>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_NAME = 253


def host_and_port(authority: str, usual_port: int) -> tuple[str, int]:
    """What ``kms.example.com:8443`` or ``[::1]`` names. Raises ``ValueError``, whose text does not repeat it."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None or len(match["name"] or "") > _LONGEST_NAME:
        raise ValueError("its host or port is not possible")
    port = usual_port if match["port"] is None else int(match["port"])
    if not 0 < port < 65536:
        raise ValueError("its port is not between 1 and 65535")
    if match["name"]:
        return match["name"].lower(), port
    try:
        return str(ipaddress.IPv6Address(match["address"])), port
    except ValueError:
        raise ValueError("its IPv6 address is not possible") from None


def in_url(host: str) -> str:
    """``host`` as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether what is sent to ``host`` stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
