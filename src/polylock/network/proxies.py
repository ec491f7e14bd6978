"""Which proxy a request goes through: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY.

httpx can read these variables too. It takes no range of addresses in NO_PROXY, fails
with a traceback for an IPv6 address there or a proxy of another scheme, and does not
tell a dead proxy from a dead index.
"""

from __future__ import annotations

import importlib.util
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from polylock.errors import NetworkSettingInvalid
from polylock.network.auth import redact
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ipaddress import IPv4Address, IPv6Address

    from polylock.network.auth import Origin

__all__ = ["Proxy", "proxy_for"]

_SCHEMES = ("http", "https", "socks5", "socks5h")
_SYSTEM = "the system's proxy settings"


class Proxy(Value, frozen=True):
    """A proxy, and which variable names it; ``url`` holds the credentials for it."""

    url: str
    variable: str


def proxy_for(
    place: Origin,
    *,
    environ: Mapping[str, str] | None = None,
    settings: Callable[[], Mapping[str, str]] = getproxies,
) -> Proxy | None:
    """Return the proxy for an origin, None where it is asked directly.

    ``settings`` gives the variables by scheme, and on Windows and macOS what the
    system says where there are none. Raises NetworkSettingInvalid.
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
    """Return how each variable is spelled; lower case wins, as curl has it."""
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
    except ValueError:  # it was made unimportable
        return False


def _is_exempt(host: str, port: int | None, listed: str) -> bool:
    """Return whether NO_PROXY names the host.

    An entry is ``*``; a domain, which stands for what is below it too; or an address or
    a range of addresses (CIDR). A port may follow a domain and an address, where an
    IPv6 address then stands in brackets. As curl has it.
    """
    address = _address(host)
    for entry in re.split(r"[\s,]+", listed):
        # Of a URL only its host counts.
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
    """Return an entry of NO_PROXY without brackets and port, and the port."""
    match = re.fullmatch(r"\[([^\]]*)\](?::(\d{1,5}))?|([^:]*):(\d{1,5})", entry)
    if match is None:
        return entry, None
    inside, first, outside, second = match.groups()
    port = first or second
    return inside or outside or "", int(port) if port else None


def _names_address(entry: str, address: IPv4Address | IPv6Address | None) -> bool:
    from ipaddress import ip_network  # noqa: PLC0415 - where there is a proxy

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
