"""This middleware believes a trusted proxy about who calls and how, and nobody else."""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

WITH_PORT = re.compile(r"(?:\[(?P<v6>[^]]+)]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?", re.ASCII)
FORWARDED_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


class TrustedProxies:
    """This middleware sets REMOTE_ADDR to the client's address: the last of X-Forwarded-For that is not in
    `TRUSTED_PROXIES`.

    A proxy appends the address that called it, so the client could have written anything further left.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.TRUSTED_PROXIES:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.networks = [ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.is_trusted(request.META.get("REMOTE_ADDR", "")):
            request.META["REMOTE_ADDR"] = self.client(request)
        else:
            for header in FORWARDED_HEADERS:
                request.META.pop(header, None)
        return self.get_response(request)

    def is_trusted(self, text: str) -> bool:
        address = parsed(text)
        return address is not None and any(address in network for network in self.networks)

    def client(self, request: HttpRequest) -> str:
        caller = request.META["REMOTE_ADDR"]
        for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            if (address := parsed(hop)) is None:
                return caller
            caller = str(address)
            if not self.is_trusted(caller):
                return caller
        return caller


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address. Some proxies add the port, and a server that listens on IPv6 writes IPv4 as ::ffff:192.0.2.1."""
    with_port = WITH_PORT.fullmatch(text.strip())
    try:
        address = ip_address((with_port["v6"] or with_port["v4"]) if with_port else text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
