"""Products and prices are made, read and changed here."""

from typing import Any

from ..books.tax import codes
from ..errors import invalid
from ..events import emit, in_order, recorded
from ..http import values
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import price_amounts, price_events
from .price_amounts import AMOUNTS

PRODUCT = "active description images marketing_features metadata name statement_descriptor unit_label url tax_code"
PLAIN = ("active", "description", "images", "marketing_features", "name", "statement_descriptor", "unit_label", "url",
         "tax_code", "shippable")  # fmt: skip
RECURRING = (
    "recurring.interval recurring.interval_count recurring.usage_type recurring.meter recurring.trial_period_days"
)
STRIPPED = ("name", "statement_descriptor")
MOST_IMAGES = 8
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}


@api.add("POST", "/v1/products", "ProductCreateParams", f"{PRODUCT} id shippable default_price_data type")
def create_product(state: State, params: Params) -> Object:
    identifier = params.get("id") or state.new_id("prod")
    if state.find("product", identifier):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    product = blank(
        "product",
        identifier,
        active=True,
        created=state.now(),
        images=[],
        livemode=False,
        marketing_features=[],
        metadata={},
        type=params.get("type", "service"),
        updated=state.now(),
    )
    _write(product, params)
    state.put(product)
    with in_order(state, ("product.created", "price.created")):
        if "default_price_data" in params:
            price = create_price(state, {**params["default_price_data"], "product": identifier})
            product["default_price"] = price["id"]
        emit(state, "product.created", product)
    return product


def _write(product: Object, params: Params) -> None:
    codes.check(params.get("tax_code"))
    _check_images(params.get("images") or [])
    for name in PLAIN:
        if name in params:
            empty: Any = [] if name in ("images", "marketing_features") else None
            given = params[name].strip() if name in STRIPPED else params[name]
            product[name] = empty if given == "" else given
    product["metadata"] = merged(product["metadata"], params)


def _check_images(images: list[str]) -> None:
    """Refuse what is no web address, and more than a product can have."""
    if len(images) > MOST_IMAGES:
        raise invalid(f"Array images exceeded maximum {MOST_IMAGES} allowed elements.", "images")
    for number, address in enumerate(images):
        values.check_picture(address, f"images[{number}]")


@api.add("POST", "/v1/products/{product}", "ProductUpdateParams", f"{PRODUCT} shippable default_price")
def update_product(state: State, product: str, params: Params) -> Object:
    row = state.get("product", product)
    if not params.get("name", "-").strip():
        raise values.empty("name")
    if params.get("default_price"):
        price = state.get("price", params["default_price"], "default_price")
        if price["product"] != product:
            raise invalid(f"The price `{price['id']}` does not belong to this product.", "default_price")
    with recorded(state, row, "product.updated"):
        _write(row, params)
        if "default_price" in params:
            row["default_price"] = params["default_price"] or None
        row["updated"] = state.now()
    return row


@api.add("GET", "/v1/products/{product}", "ProductRetrieveParams")
def retrieve_product(state: State, product: str, params: Params) -> Object:
    return state.get("product", product)


@api.add("DELETE", "/v1/products/{product}", "ProductDeleteParams")
def delete_product(state: State, product: str, params: Params) -> Object:
    row = state.get("product", product)
    if state.table("price").where("product", product):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    row["active"] = False
    emit(state, "product.deleted", row)
    state.table("product").remove(product)
    gone = {"id": product, "object": "product", "deleted": True}
    state.note(product)["deleted"] = gone
    return gone


@api.add("GET", "/v1/products", "ProductListParams", "active created ids url type")
def list_products(state: State, params: Params) -> Object:
    ids = params.get("ids")
    return page(
        state, "product", "/v1/products", params, lambda row: ids is None or row["id"] in ids, same="active url type"
    )


@api.add(
    "POST",
    "/v1/prices",
    "PriceCreateParams",
    f"{AMOUNTS} {RECURRING} active lookup_key transfer_lookup_key metadata nickname product product_data",
)
def create_price(state: State, params: Params) -> Object:
    product = _product_of(state, params)
    recurring = _recurring(state, params.get("recurring"))
    price = blank(
        "price",
        params.get("id") or state.new_id("price"),
        active=params.get("active", True),
        created=state.now(),
        currency=params["currency"].lower(),
        livemode=False,
        metadata=merged({}, params),
        nickname=params.get("nickname"),
        product=product["id"],
        recurring=recurring,
        tax_behavior=params.get("tax_behavior", "unspecified"),
        type="recurring" if recurring else "one_time",
    )
    price_amounts.write(state, price, params)
    _claim_lookup_key(state, price, params)
    state.put(price)
    price_events.tell(state, price, "created")
    return price


def by_plan(entry: dict[str, Any]) -> dict[str, Any]:
    """Read `plan`, the older name of `price` in an entry of `items[]`."""
    if "plan" not in entry:
        return entry
    return {**{name: value for name, value in entry.items() if name != "plan"}, "price": entry["plan"]}


def inline(state: State, entry: dict[str, Any], where: str) -> dict[str, Any]:
    """Return an entry of `items[]` or `line_items[]` by its price; a price given by its data is made first, and not for
    reuse."""
    data = entry.get("price_data")
    if (data is None) == ("price" not in entry):
        code = "parameter_missing" if data is None else None
        raise invalid("Each of the items needs a `price` or `price_data`, and not both.", where, code)
    if data is None:
        return entry
    price = create_price(state, data)
    price["active"] = False
    state.note(price["id"])["inline"] = True
    return {**{name: value for name, value in entry.items() if name != "price_data"}, "price": price["id"]}


def _product_of(state: State, params: Params) -> Object:
    if "product" in params and "product_data" in params:
        raise invalid("You may only specify one of these parameters: product, product_data.", "product")
    if "product" in params:
        return state.get("product", params["product"], "product")
    if "product_data" in params:
        return create_product(state, params["product_data"])
    raise invalid("You must specify either `product` or `product_data` when creating a price.")


def _recurring(state: State, given: dict[str, Any] | None) -> Object | None:
    if not given:
        return None
    _check_count(given["interval"], given.get("interval_count", 1))
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": _meter(state, given),
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _check_count(interval: str, count: int) -> None:
    """Refuse an interval that is none, or longer than three years."""
    where, most = "recurring[interval_count]", LONGEST[interval]
    if count < 1:
        raise invalid("This value must be greater than or equal to 1.", where, "parameter_invalid_integer")
    if count > most:
        every = "daily" if interval == "day" else f"{interval}ly"
        raise invalid(f"The interval_count for {every} prices can't be greater than {most}", where)


def _meter(state: State, given: dict[str, Any]) -> str | None:
    """A metered price has the meter that counts its usage (since version 2025-03-31.basil)."""
    where, is_metered = "recurring[meter]", given.get("usage_type") == "metered"
    if is_metered != ("meter" in given):
        raise invalid(
            "Metered prices must be backed by a meter: `recurring[meter]` goes with `recurring[usage_type]=metered`.",
            where,
            "parameter_missing" if is_metered else None,
        )
    if not is_metered:
        return None
    meter = state.get("billing.meter", given["meter"], where)
    if meter["status"] != "active":
        raise invalid(f"The meter {meter['id']} is inactive: a price needs an active one.", where)
    return str(meter["id"])


def _claim_lookup_key(state: State, price: Object, params: Params) -> None:
    key = params.get("lookup_key")
    if not key:
        return
    for other in state.table("price").rows.values():
        if other["lookup_key"] == key and other is not price:
            if not params.get("transfer_lookup_key"):
                raise invalid(f"A price (`{other['id']}`) already uses that lookup key.", "lookup_key")
            with price_events.changes(state, other):
                other["lookup_key"] = None
    price["lookup_key"] = key


@api.add(
    "POST",
    "/v1/prices/{price}",
    "PriceUpdateParams",
    "active lookup_key transfer_lookup_key metadata nickname currency_options tax_behavior",
)
def update_price(state: State, price: str, params: Params) -> Object:
    row = state.get("price", price)
    _check_behavior(row, params)
    with price_events.changes(state, row):
        for name in ("active", "nickname", "tax_behavior"):
            if name in params:
                row[name] = params[name]
        if params.get("lookup_key") == "":
            row["lookup_key"] = None
        _claim_lookup_key(state, row, params)
        row["metadata"] = merged(row["metadata"], params)
    options = state.note(price)["currency_options"]
    options[row["currency"]] = {**options[row["currency"]], "tax_behavior": row["tax_behavior"]}
    if params.get("currency_options"):
        price_amounts.add_options(state, row, params["currency_options"])
    return row


def _check_behavior(price: Object, params: Params) -> None:
    known = price["tax_behavior"]
    if known != "unspecified" and params.get("tax_behavior", known) != known:
        raise invalid(
            f"The `tax_behavior` of a price cannot be changed once it is set. It is `{known}` here.", "tax_behavior"
        )


@api.add("GET", "/v1/prices/{price}", "PriceRetrieveParams")
def retrieve_price(state: State, price: str, params: Params) -> Object:
    return state.get("price", price)


@api.add("GET", "/v1/prices", "PriceListParams", "active created currency product lookup_keys type recurring")
def list_prices(state: State, params: Params) -> Object:
    keys, recurring = params.get("lookup_keys"), params.get("recurring") or {}

    def keep(row: Object) -> bool:
        named = keys is None or row["lookup_key"] in keys
        return named and all((row["recurring"] or {}).get(name) == value for name, value in recurring.items())

    return page(state, "price", "/v1/prices", params, keep, same="active currency product type")
