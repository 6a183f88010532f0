"""Seven kinds of objects are found by a query. The fields of each are those that
https://docs.stripe.com/search#query-fields-for-charges and its neighbours list. Unlike at Stripe an object is found at
once."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterator
from itertools import islice

from ..errors import ApiError, invalid
from ..http.contract import Params
from ..http.expansion import INCLUDABLE
from ..http.routing import Handler, api
from ..http.searching import NUMERIC, STRING, TOKEN, Searched, parse
from ..store import Object, State

COUNTED = 10_000
METHODS = "card us_bank_account sepa_debit bacs_debit card_present".split()
OF_METHOD = "last4 exp_month exp_year brand fingerprint".split()


def _fields(numbers: str = "", strings: str = "", tokens: str = "", **paths: str) -> dict[str, tuple[str, str]]:
    """Return the fields by name; `paths` are those of fields that the object has elsewhere."""
    kinds = ((NUMERIC, numbers), (STRING, strings), (TOKEN, tokens))
    return {name: (kind, paths.get(name, name)) for kind, names in kinds for name in names.split()}


PAID_BY = " ".join(f"payment_method_details.{method}.{name}" for method in METHODS for name in OF_METHOD)
SEARCHED = {
    "charge": Searched(
        "charges",
        _fields(
            "amount created",
            tokens=f"billing_details.address.postal_code currency customer disputed refunded status {PAID_BY}",
        ),
    ),
    "customer": Searched("customers", _fields("created", "email name phone")),
    "invoice": Searched(
        "invoices",
        _fields(
            "created total",
            "number receipt_number status subscription",
            "currency customer last_finalization_error_code last_finalization_error_type",
            subscription="parent.subscription_details.subscription",
            last_finalization_error_code="last_finalization_error.code",
            last_finalization_error_type="last_finalization_error.type",
        ),
    ),
    "payment_intent": Searched("payment_intents", _fields("amount created", tokens="currency customer status")),
    "price": Searched("prices", _fields(tokens="active currency lookup_key product type")),
    "product": Searched("products", _fields(strings="description name url", tokens="active shippable")),
    "subscription": Searched("subscriptions", _fields("canceled_at created", tokens="status")),
}


def _handler(kind: str, searched: Searched) -> Handler:
    def search(state: State, params: Params) -> Object:
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise _out_of_bounds(limit)
        state.note("search").update(kind=kind, query=params["query"])
        rows = list(islice(_found(state, kind, params["query"], params.get("page")), limit + 1))
        more = len(rows) > limit
        return {
            "object": "search_result",
            "data": rows[:limit],
            "has_more": more,
            "next_page": urlsafe_b64encode(rows[limit - 1]["id"].encode()).decode() if more else None,
            "url": f"/v1/{searched.name}/search",
        }

    return search


def _found(state: State, kind: str, query: str, page: str | None = None) -> Iterator[Object]:
    """Yield what matches, newest first, from the page on."""
    matches, table = parse(query, SEARCHED[kind]), state.table(kind)
    last = len(table.order) if page is None else _position(table.position, page)
    walk = (table.rows.get(table.order[index]) for index in range(last - 1, -1, -1))
    return (row for row in walk if row is not None and matches(row))


def _position(positions: dict[str, int], page: str) -> int:
    try:
        return positions[urlsafe_b64decode(page).decode()]
    except (Error, UnicodeDecodeError, KeyError):
        raise _unknown(page) from None


def _unknown(page: str) -> ApiError:
    """Return the error for a page that no answer has named; its parameter is the page itself."""
    return invalid(f"{page} is an invalid page.", page)


def _out_of_bounds(limit: int) -> ApiError:
    """Return the error for a limit that a list would take for the nearest one; a search does not."""
    most = f"less than or equal to 100 (it currently is '{limit}')"
    bound = "greater than or equal to 1" if limit < 1 else most
    return invalid(f"This value must be {bound}.", "limit", "parameter_invalid_integer")


def _count(state: State, _: Object) -> int:
    """Return how many objects the query of this request matches; Stripe counts exactly up to ten thousand."""
    asked = state.note("search")
    return sum(1 for _ in islice(_found(state, asked["kind"], asked["query"]), COUNTED))


INCLUDABLE["search_result", "total_count"] = _count
for _kind, _searched in SEARCHED.items():
    _name = "".join(part.capitalize() for part in _kind.split("_"))
    api.add("GET", f"/v1/{_searched.name}/search", f"{_name}SearchParams", "query limit page")(
        _handler(_kind, _searched)
    )
