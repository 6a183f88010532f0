"""The sandbox speaks one API version; this module decides about clients and SDKs that are built for another one."""

import logging
from importlib.metadata import version as installed

from stripe._api_version import _ApiVersion

from .store import State

logger = logging.getLogger("stripe_sandbox")
API_VERSION = "2026-08-26.dahlia"
SDK_VERSION: str = _ApiVersion.CURRENT
WARNING = "Sandbox-Warning"


def is_taken(state: State, asked: str) -> bool:
    """Return whether a client that names the version `asked` is answered; another version needs `--any-version`.

    The first client of each other version is named in the log.
    """
    if asked != API_VERSION and state.any_version and asked not in state.versions_met:
        state.versions_met.add(asked)
        logger.warning("A client asked for %s. Every answer and event is of %s.", asked, API_VERSION)
    return asked == API_VERSION or state.any_version


def warning(state: State, headers: dict[str, str]) -> dict[str, str]:
    """Return the header that tells a client of another version which one it got; none where the versions agree."""
    asked = headers.get("stripe-version", API_VERSION)
    if asked == API_VERSION or not state.any_version:
        return {}
    return {WARNING: f"asked for {asked.encode('ascii', 'replace').decode()}; answered in {API_VERSION}"}


def sdk_differs(sdk: str = SDK_VERSION) -> str:
    """Return the sentence for a start with a `stripe` package of another version; empty where it is the right one."""
    if sdk == API_VERSION:
        return ""
    return (
        f"The installed package stripe {installed('stripe')} is built for {sdk}: parameters and fields are held to its "
        f"types, although the sandbox was written for {API_VERSION}. Install a stripe of that version to be exact."
    )
