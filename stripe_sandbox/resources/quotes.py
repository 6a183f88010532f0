"""Quotes are drawn up, finalized, accepted and canceled here, and shown as a PDF."""

from ..books import pricing, quote_acceptance, quoting, subscribing
from ..errors import invalid, missing_parameter, not_covered
from ..events import emit
from ..http.contract import Params
from ..http.expansion import INCLUDABLE
from ..http.listing import of_list, page
from ..http.messages import Response
from ..http.pdf import document
from ..http.routing import api
from ..store import Object, State
from . import catalogue

LINE = " ".join(
    f"line_items.{name}"
    for name in (
        "price quantity price_data.currency price_data.product price_data.recurring price_data.unit_amount "
        "price_data.tax_behavior discounts.coupon discounts.promotion_code"
    ).split()
)
SHOWN = "description footer header metadata collection_method expires_at discounts.coupon discounts.promotion_code"
SETTINGS = " ".join(f"invoice_settings.{name}" for name in ("custom_fields", "days_until_due", "description", "footer"))
DATA = " ".join(f"subscription_data.{name}" for name in ("description", "effective_date", "metadata",
                                                         "trial_period_days"))  # fmt: skip
COVERED = f"customer {LINE} {SHOWN} {SETTINGS} {DATA}"

INCLUDABLE[quoting.KIND, "line_items"] = quoting.listed
INCLUDABLE["upfront", "line_items"] = quoting.listed_upfront


@api.add(
    "POST",
    "/v1/quotes",
    "QuoteCreateParams",
    f"{COVERED} from_quote.quote from_quote.is_revision subscription_data.billing_mode test_clock",
)
def create(state: State, params: Params) -> Object:
    if "customer" in params:
        state.get("customer", params["customer"], "customer")
    if "test_clock" in params:
        state.get("test_helpers.test_clock", params["test_clock"], "test_clock")
    subscribing.check_mode((params.get("subscription_data") or {}).get("billing_mode"))
    origin = _origin(state, params)
    customer = params.get("customer", origin["customer"] if origin else None)
    quote = quoting.new(state, customer, params.get("test_clock"))
    if origin is not None:
        quote["from_quote"] = {"is_revision": params["from_quote"].get("is_revision", False), "quote": origin["id"]}
        quoting.write(state, quote, _copied(state, origin))
    _write(state, quote, {"expires_at": quote["expires_at"], **params})
    emit(state, "quote.created", state.put(quote))
    return quote


def _origin(state: State, params: Params) -> Object | None:
    given = params.get("from_quote")
    if given is None:
        return None
    origin = state.get(quoting.KIND, given["quote"], "from_quote[quote]")
    if given.get("is_revision") and origin["status"] not in ("open", "canceled"):
        raise invalid("Only a quote that is finalized and not accepted can be revised.", "from_quote[is_revision]")
    if given.get("is_revision") and origin["number"] is None:
        raise invalid("A quote that was never finalized cannot be revised.", "from_quote[is_revision]")
    return origin


def _copied(state: State, origin: Object) -> Params:
    rows = []
    for row in quoting.lines(state, origin):
        entry = {"price": row["price"]["id"], "quantity": row["quantity"]}
        rows.append({**entry, "discounts": quoting.given_discounts(state, row["id"])})
    same = ("collection_method", "description", "footer", "header", "invoice_settings", "metadata")
    data = {name: value for name, value in origin["subscription_data"].items() if name != "billing_mode"}
    named = {name: origin[name] for name in same}
    named["invoice_settings"] = {name: origin["invoice_settings"][name] for name in quoting.INVOICE_SETTINGS}
    discounts = quoting.given_discounts(state, origin["id"])
    return {**named, "subscription_data": data, "line_items": rows, "discounts": discounts}


def _write(state: State, quote: Object, params: Params) -> None:
    if "line_items" in params:
        params = {**params, "line_items": [_priced(state, entry) for entry in params["line_items"]]}
    if (params.get("subscription_data") or {}).get("effective_date") == "current_period_end":
        raise not_covered("subscription_data[effective_date]=current_period_end")
    quoting.write(state, quote, params)
    settings = quote["invoice_settings"]
    if settings["days_until_due"] is not None and quote["collection_method"] != "send_invoice":
        raise invalid(
            "`days_until_due` goes with `collection_method=send_invoice`.", "invoice_settings[days_until_due]"
        )
    if quoting.is_recurring(state, quote) and any(
        settings[name] for name in ("custom_fields", "description", "footer")
    ):
        raise not_covered("invoice_settings of a quote with recurring prices")


def _priced(state: State, entry: Params) -> Params:
    """Return the entry by its price; one that names a line item may leave that out."""
    is_kept = "id" in entry and not entry.keys() & {"price", "price_data"}
    return entry if is_kept else catalogue.inline(state, entry, "line_items[0]")


@api.add("POST", "/v1/quotes/{quote}", "QuoteUpdateParams", f"{COVERED} line_items.id")
def update(state: State, quote: str, params: Params) -> Object:
    row = state.get(quoting.KIND, quote)
    if (row["status"] != "draft" and params.keys() - {"expires_at"}) or row["status"] not in ("draft", "open"):
        raise _unexpected(row, "updated", "draft")
    if "customer" in params and params["customer"] != row["customer"]:
        if row["customer"] is not None:
            raise invalid("The customer of a quote cannot be changed.", "customer")
        row["customer"] = state.get("customer", params["customer"], "customer")["id"]
        state.put(row)
    _write(state, row, params)
    return row


def _unexpected(quote: Object, what: str, *allowed: str) -> Exception:
    return invalid(
        f"This quote cannot be {what} because it has a status of `{quote['status']}`. Only a quote with one of the "
        f"following statuses may be {what}: {', '.join(allowed)}.",
        None,
        "quote_unexpected_state",
    )


@api.add("POST", "/v1/quotes/{quote}/finalize", "QuoteFinalizeQuoteParams", "expires_at")
def finalize(state: State, quote: str, params: Params) -> Object:
    row = state.get(quoting.KIND, quote)
    if row["status"] != "draft":
        raise _unexpected(row, "finalized", "draft")
    if row["customer"] is None:
        raise missing_parameter("customer")
    if not quoting.lines(state, row):
        raise missing_parameter("line_items")
    subscribing.check_terms(row["collection_method"], row["invoice_settings"]["days_until_due"])
    if "expires_at" in params:
        quoting.expire_at(state, row, params["expires_at"])
    row.update(status="open", number=quoting.number(state, row))
    row["status_transitions"]["finalized_at"] = state.now()
    emit(state, "quote.finalized", row)
    _replace(state, row)
    return row


def _replace(state: State, quote: Object) -> None:
    """Cancel the quote that a revision takes the place of."""
    origin = quote["from_quote"]
    before = state.get(quoting.KIND, origin["quote"]) if origin and origin["is_revision"] else None
    if before is not None and before["status"] == "open":
        quote_acceptance.cancel(state, before)


@api.add("POST", "/v1/quotes/{quote}/accept", "QuoteAcceptParams")
def accept(state: State, quote: str, params: Params) -> Object:
    row = state.get(quoting.KIND, quote)
    if row["status"] != "open":
        raise _unexpected(row, "accepted", "open")
    quote_acceptance.accept(state, row)
    return row


@api.add("POST", "/v1/quotes/{quote}/cancel", "QuoteCancelParams")
def cancel(state: State, quote: str, params: Params) -> Object:
    row = state.get(quoting.KIND, quote)
    if row["status"] not in ("draft", "open"):
        raise _unexpected(row, "canceled", "draft", "open")
    quote_acceptance.cancel(state, row)
    return row


@api.add("GET", "/v1/quotes/{quote}", "QuoteRetrieveParams")
def retrieve(state: State, quote: str, params: Params) -> Object:
    return state.get(quoting.KIND, quote)


@api.add("GET", "/v1/quotes", "QuoteListParams", "customer status test_clock")
def list_all(state: State, params: Params) -> Object:
    return page(state, quoting.KIND, "/v1/quotes", params, same="customer status test_clock")


@api.add("GET", "/v1/quotes/{quote}/line_items", "QuoteLineItemListParams")
def line_items(state: State, quote: str, params: Params) -> Object:
    row = state.get(quoting.KIND, quote)
    return of_list(quoting.lines(state, row), params, f"/v1/quotes/{quote}/line_items")


@api.add("GET", "/v1/quotes/{quote}/computed_upfront_line_items", "QuoteComputedUpfrontLineItemsListParams")
def upfront(state: State, quote: str, params: Params) -> Object:
    row = state.get(quoting.KIND, quote)
    return of_list(quoting.due_at_once(state, row), params, f"/v1/quotes/{quote}/computed_upfront_line_items")


@api.add("GET", "/v1/quotes/{quote}/pdf", "QuotePdfParams")
def pdf(state: State, quote: str, params: Params) -> Response:
    """Return the PDF. Stripe serves it at another address, so the SDK needs the sandbox's as `files`, too."""
    row = state.get(quoting.KIND, quote)
    if row["number"] is None:
        raise _unexpected(row, "downloaded", "open", "accepted", "canceled")
    texts = [row[name] for name in ("header", "description", "footer")]
    currency = row["currency"]
    lines = [f"{line['quantity']} × {line['description']}  {pricing.shown(line['amount_total'], currency)}"
             for line in quoting.lines(state, row)]  # fmt: skip
    total = f"Total  {pricing.shown(row['amount_total'], currency)}"
    shown = [text for text in (f"Quote {row['number']}", texts[0], texts[1], *lines, total, texts[2]) if text]
    return Response(200, document(shown), {}, "application/pdf")
