"""Where a notification may go: public addresses, and what the configuration allows besides."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from lakebed.errors import UsageError
from lakebed.settings.webhooks import WebhookSettings

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""All addresses of a host. Raises OSError where it has none."""
_UNICAST = IPv6Network("2000::/3")
"""All that is public in IPv6: what wraps an address of IPv4 is elsewhere."""
_SPECIAL = (
    IPv4Network("168.63.129.16/32"),  # answered by the machine's own cloud
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),  # carries an IPv4 address, which may be any
)
"""Not for us, though some versions of Python count them as public."""


def check_url(url: str, settings: WebhookSettings) -> None:
    """Refuse what can be seen to be wrong before a name is resolved. Raises UsageError."""
    host = _host(url, settings)
    address = _literal(host)
    if address is not None:
        check_address(address, settings)
    elif host == "localhost" or host.endswith(".localhost"):
        check_address(IPv4Address("127.0.0.1"), settings)


def check_address(address: Address, settings: WebhookSettings) -> None:
    """Raises UsageError for what is neither public nor allowed."""
    if any(address in network for network in settings.allow):
        return
    if (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or (address.version == 6 and address not in _UNICAST)
        or any(address in network for network in _SPECIAL)
    ):
        raise _refused(f"{address} is not a public address", "an administrator can allow it")


async def vetted(
    host: str, port: int, settings: WebhookSettings, resolve: Resolve
) -> list[Address]:
    """The addresses of a host, each of them one to connect to. Raises UsageError, OSError."""
    found = await resolve(host, port)
    for address in found:
        check_address(address, settings)
    return found


async def resolved(host: str, port: int) -> list[Address]:
    """What the machine's resolver says."""
    loop = asyncio.get_running_loop()
    try:
        told = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is empty or too long
        raise OSError("no name of a host") from None
    return list(dict.fromkeys(ip_address(one[4][0]) for one in told))


def _host(url: str, settings: WebhookSettings) -> str:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refused("not a URL", "write it in ASCII, other characters percent-encoded")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refused("not a URL", "write https://HOST/PATH") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.http):
        raise _refused("only https is taken", "write https://HOST/PATH")
    if not host or port == 0:
        raise _refused("it names no host", "write https://HOST/PATH")
    if "@" in parts.netloc:
        raise _refused("it holds credentials", "verify the signature instead")
    return host.rstrip(".")


def _literal(host: str) -> Address | None:
    """The address that is written as such, in any of the forms that resolvers read."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _refused(what: str, advice: str) -> UsageError:
    return UsageError(what, subject="notification.webhook_url", advice=advice)
