"""This check refuses a page of another site that presses the sandbox's buttons through somebody's browser."""

from urllib.parse import urlsplit

from ..errors import ApiError
from .messages import Request


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
