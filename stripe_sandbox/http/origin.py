"""These checks keep pages of other sites from using the sandbox through somebody's browser: by its buttons, or under a
name of theirs that leads to this machine (DNS rebinding)."""

import functools
import ipaddress
from urllib.parse import urlsplit

from ..errors import ApiError
from .messages import Request

OWN = (".localhost", ".internal", ".local", ".test")


def refuse_other_sites(request: Request) -> None:
    """Raise ApiError for a request that another site made. Programs send neither header, and are let in."""
    if request.method not in ("GET", "HEAD") and _is_foreign(request.headers):
        raise ApiError(
            403, "Another site's page sent this: nothing was done. Use the buttons on the sandbox's own pages."
        )


def _is_foreign(headers: dict[str, str]) -> bool:
    """Return whether the origin is another site; another port of the same machine is one too, though browsers call it
    `same-site`."""
    if "sec-fetch-site" in headers:
        return headers["sec-fetch-site"] not in ("same-origin", "none")
    return "origin" in headers and urlsplit(headers["origin"]).netloc != headers.get("host")


def is_open_to_others(host: str) -> bool:
    """Return whether the sandbox listens on an address that other machines reach."""
    return not _is_loopback(host)


def strange_host(listens_on: str, request: Request) -> ApiError | None:
    """Return a refusal of a request under a public name, where the sandbox listens on this machine alone.

    Addresses, `localhost`, names without a dot and those of a machine's own network are no site's.
    """
    name = _name(request.headers.get("host", ""))
    if is_open_to_others(listens_on) or "." not in name or _is_address(name) or name.endswith(OWN):
        return None
    return ApiError(403, f"This sandbox is not at {name[:100]}: ask for it at http://{listens_on}.")


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return "invalid.host"


@functools.lru_cache(256)
def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


@functools.lru_cache(256)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
