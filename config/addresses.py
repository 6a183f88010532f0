"""This module reads hosts and networks as other programs would, whatever their spelling."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

WIDEST = 7  # bits: fc00::/7 holds every private address of IPv6, 10.0.0.0/8 most of IPv4
NUMBERS = re.compile(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, in any spelling: `127.1`, `0`, `2130706433`, `::ffff:7f00:1`."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and (address.is_loopback or address.is_unspecified)


def host_of(url: str) -> str:
    """Return the host of an address, or "" if it has none that can be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_at_stripe(url: str) -> bool:
    """Return whether an address is https at stripe.com, with no name or password before the host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    is_stripes = host == "stripe.com" or host.endswith(".stripe.com")
    return parts.scheme == "https" and is_stripes and "@" not in parts.netloc


def is_network_of_few(text: str) -> bool:
    """Return whether the text is an address or a network smaller than half of all addresses."""
    try:
        return ip_network(text, strict=False).prefixlen >= WIDEST
    except ValueError:
        return False


def _address(name: str) -> IPv4Address | IPv6Address | None:
    """Parse an address as a resolver does: with fewer than four numbers, in hexadecimal, octal, or as one number."""
    try:
        if NUMBERS.fullmatch(name):
            return IPv4Address(socket.inet_aton(name))
        address = ip_address(name.partition("%")[0])
    except (OSError, ValueError):
        return None
    return getattr(address, "ipv4_mapped", None) or address
