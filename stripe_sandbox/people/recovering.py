"""A Checkout session expires; if its site asked for recovery, an address leads to a copy for thirty days."""

from ..books.due import job
from ..books.periods import DAY
from ..events import emit
from ..http.contract import Params
from ..store import Object, State

USABLE = 30 * DAY


def asked(params: Params) -> Object | None:
    """Return a session's `after_expiration`; it has an address only once the session has expired."""
    recovery = (params.get("after_expiration") or {}).get("recovery")
    if recovery is None:
        return None
    allows = recovery.get("allow_promotion_codes", False)
    known = {"allow_promotion_codes": allows, "enabled": recovery["enabled"]}
    return {"recovery": {**known, "expires_at": None, "url": None}}


def expire(state: State, session: Object) -> None:
    session.update(status="expired", url=None)
    recovery = (session["after_expiration"] or {}).get("recovery") or {}
    if recovery.get("enabled"):
        recovery.update(expires_at=state.now() + USABLE, url=f"{state.base_url}/r/{session['id']}")
    emit(state, "checkout.session.expired", session)


@job
def session_expires(state: State, identifier: str) -> None:
    session = state.get("checkout.session", identifier)
    if session["status"] == "open":
        expire(state, session)


def is_usable(state: State, session: Object) -> bool:
    """Return whether the recovery address of an expired session still works."""
    recovery = (session["after_expiration"] or {}).get("recovery") or {}
    return bool(recovery.get("url")) and state.now() < recovery["expires_at"]
