"""A tax id is pending at first, and verified or not a little later: by the clock, or by the control plane.

The values 000000000, 111111111 and 222222222 come out verified, unverified and pending for good, as in test mode.
"""

import re
from typing import Any

from ...errors import invalid
from ...events import emit, recorded
from ...http.blanks import blank
from ...store import Object, State
from ..due import job
from . import places
from .table import EU

KIND = "tax_id"
MAGIC = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}
VERIFIED_KINDS = ("eu_vat", "gb_vat", "au_abn")
FORMS = {"gb_vat": r"(GB)?(\d{9}|\d{12})", "au_abn": r"\d{11}", "us_ein": r"\d{2}-?\d{7}"}
STATUSES = ("pending", "verified", "unverified", "unavailable")
MOST = 5


def create(state: State, kind: str, value: str, customer: Object | None) -> Object:
    """Make a tax id of a customer, or of the account itself."""
    check(kind, value)
    owner = {"account": None, "application": None, "customer": None, "customer_account": None, "type": "self"}
    if customer:
        if len(state.table(KIND).where("customer", customer["id"])) >= MOST:
            raise invalid(f"A customer may have at most {MOST} tax IDs.", "type")
        owner |= {"customer": customer["id"], "type": "customer"}
    row = blank(
        KIND,
        state.new_id("txi"),
        country=places.country_of(kind, value),
        created=state.now(),
        customer=customer["id"] if customer else None,
        livemode=False,
        owner=owner,
        type=kind,
        value=value,
        verification=_first_verification(kind) if customer else None,
    )
    state.put(row)
    if customer:
        emit(state, "customer.tax_id.created", row)
        if kind in VERIFIED_KINDS:
            state.schedule(state.now() + state.settings["tax_id_seconds"], "tax_id_answers", row["id"])
    return row


def _first_verification(kind: str) -> Object:
    status = "pending" if kind in VERIFIED_KINDS else "unavailable"
    return {"status": status, "verified_address": None, "verified_name": None}


def check(kind: str, value: str, param: str = "value") -> None:
    """Refuse a value that cannot be an id of its kind."""
    plain = re.sub(r"[\s.]", "", value).upper()
    is_formed = bool(plain) and re.fullmatch(FORMS.get(kind, ".+"), plain) is not None
    if kind == "eu_vat":
        known = EU | {"EL", "XI"}
        is_formed = plain[:2] in known and re.fullmatch(r"[A-Z]{2}[0-9A-Z+*]{2,12}", plain) is not None
    if not is_formed and not (kind in VERIFIED_KINDS and plain in MAGIC):
        raise invalid(f"Invalid value for {kind}.", param, "tax_id_invalid")


@job
def tax_id_answers(state: State, identifier: str) -> None:
    """The registry answers for a tax id that still waits."""
    row = state.find(KIND, identifier)
    if row is not None and row["verification"]["status"] == "pending":
        digits = re.sub(r"\D", "", row["value"])
        answer(state, row, MAGIC.get(digits, "verified"))


def answer(state: State, row: Object, status: str, name: str | None = None, address: str | None = None) -> Object:
    """Write what the registry says, and announce what that changes."""
    if status not in STATUSES:
        raise invalid(f"Invalid status: must be one of {', '.join(STATUSES)}", "status")
    if row["customer"] is None:
        raise invalid("A tax ID of the account is not verified.", "status")
    with recorded(state, row, "customer.tax_id.updated"):
        row["verification"] = {"status": status, "verified_address": address, "verified_name": name}
    return row


def delete(state: State, row: Object) -> Object:
    if row["customer"]:
        emit(state, "customer.tax_id.deleted", row)
    state.table(KIND).remove(row["id"])
    gone: dict[str, Any] = {"id": row["id"], "object": KIND, "deleted": True}
    state.note(row["id"])["deleted"] = gone
    return gone


def listed(rows: list[Object]) -> list[Object]:
    """Return the tax ids as invoices and Checkout sessions show them."""
    return [{"type": row["type"], "value": row["value"]} for row in rows]
