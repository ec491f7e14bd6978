"""The proxy of a request: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY.

httpx can read these variables too. But it does not support ranges of addresses in
NO_PROXY, raises unexpected exceptions for an IPv6 address there or a proxy of another
scheme, and does not distinguish a failing proxy from a failing index.
"""

from __future__ import annotations

import importlib.util
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from polylock.errors import NetworkSettingInvalid
from polylock.network.auth import Origin, redact
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ipaddress import IPv4Address, IPv6Address


__all__ = ["Proxy", "proxy_for"]

_SCHEMES = ("http", "https", "socks5", "socks5h")
_SYSTEM = "the system's proxy settings"


class Proxy(Value, frozen=True):
    """A proxy and the variable that sets it; ``url`` includes its credentials."""

    url: str
    variable: str


def proxy_for(
    place: Origin,
    *,
    environ: Mapping[str, str] | None = None,
    settings: Callable[[], Mapping[str, str]] = getproxies,
) -> Proxy | None:
    """Return the proxy for an origin, None for a direct connection.

    ``settings`` returns the proxies by scheme: those of the variables or, on Windows
    and macOS, of the system if there are none. Raises NetworkSettingInvalid.
    """
    scheme, host, port = place
    found = settings()
    names = _names(os.environ if environ is None else environ)
    if _is_exempt(host, port, found.get("no", "")):
        return None
    for key in (scheme, "all"):
        value = found.get(key, "").strip()
        if value:
            variable = names.get(f"{key}_proxy", _SYSTEM)
            return Proxy(_checked(value, variable), variable)
    return None


def _names(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the spelling of each variable; lower case wins, as in curl."""
    return {name.lower(): name for name in sorted(environ, key=str.swapcase)}


def _checked(value: str, variable: str) -> str:
    """Return the URL of a proxy; raises NetworkSettingInvalid."""
    url = value if "://" in value else f"http://{value}"
    shown = redact(value)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise NetworkSettingInvalid(variable, shown, str(error)) from error
    if parts.scheme not in _SCHEMES:
        problem = f"{parts.scheme} is not a kind of proxy that polylock can use"
        advice = f"a URL that begins with {', '.join(_SCHEMES)}"
        raise NetworkSettingInvalid(variable, shown, problem, advice)
    if not host:
        raise NetworkSettingInvalid(variable, shown, "has no host")
    if parts.scheme.startswith("socks") and not _has_socks():
        problem = "a SOCKS proxy needs the package socksio"
        advice = "install polylock[socks], or use an HTTP proxy"
        raise NetworkSettingInvalid(variable, shown, problem, advice)
    return url


def _has_socks() -> bool:
    try:
        return importlib.util.find_spec("socksio") is not None
    except ValueError:  # sys.modules has None for it
        return False


def _is_exempt(host: str, port: int | None, listed: str) -> bool:
    """Return True if NO_PROXY exempts the host.

    An entry is ``*``, a domain, which includes its subdomains, an address, or a range
    of addresses (CIDR). A domain or address may have a port; an IPv6 address is then in
    brackets. These are the rules of curl.
    """
    address = _address(host)
    for entry in re.split(r"[\s,]+", listed):
        # In a URL only the host counts.
        wanted, wanted_port = _split_port(entry.rpartition("://")[2].rstrip("/"))
        if not wanted or wanted_port not in {None, port}:
            continue
        if wanted == "*" or _names_address(wanted, address):
            return True
        domain = wanted.lower().lstrip("*").strip(".")
        name = host.lower().rstrip(".")
        if domain and (name == domain or name.endswith(f".{domain}")):
            return True
    return False


def _split_port(entry: str) -> tuple[str, int | None]:
    """Split an entry of NO_PROXY into host, without brackets, and port."""
    match = re.fullmatch(r"\[([^\]]*)\](?::(\d{1,5}))?|([^:]*):(\d{1,5})", entry)
    if match is None:
        return entry, None
    inside, first, outside, second = match.groups()
    port = first or second
    return inside or outside or "", int(port) if port else None


def _names_address(entry: str, address: IPv4Address | IPv6Address | None) -> bool:
    from ipaddress import ip_network  # noqa: PLC0415 - only with a proxy

    if address is None:
        return False
    try:
        return address in ip_network(entry, strict=False)
    except ValueError:
        return False


def _address(host: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address  # noqa: PLC0415 - as above

    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
