"""The sandbox reads what a client in any language sends as Stripe reads it, and refuses it in Stripe's words.

**Reported** and **recorded** by others at version 2026-08-26.dahlia, where it is not documented.
"""

import pytest

from .by_hand import MONTHLY, Asker, ask, buyer

__all__ = ["ask", "buyer"]


WAYS = {
    "by index": "items[0][price]={0}&items[0][quantity]=2&items[1][price]={1}&items[1][quantity]=3",
    "by empty brackets": "items[][price]={0}&items[][quantity]=2&items[][price]={1}&items[][quantity]=3",
    "escaped": "items%5B0%5D%5Bprice%5D={0}&items%5B0%5D%5Bquantity%5D=2&items%5B1%5D%5Bprice%5D={1}"
    "&items%5B1%5D%5Bquantity%5D=3",
    "inside, by empty brackets": "items[][price]={0}&items[][metadata][a]=1&items[][metadata][b]=2&items[][quantity]=2"
    "&items[][price]={1}&items[][quantity]=3",
}


@pytest.mark.parametrize("form", WAYS.values(), ids=WAYS.keys())
def test_a_list_of_objects_is_written_in_several_ways(ask: Asker, buyer: str, form: str) -> None:
    prices = [ask.made("prices", MONTHLY)["id"] for _ in range(2)]
    sub = ask.made("subscriptions", f"customer={buyer}&{form.format(*prices)}")
    assert {(item["price"]["id"], item["quantity"]) for item in sub["items"]["data"]} == {
        (prices[0], 2),
        (prices[1], 3),
    }


def test_decimals_may_have_zeros_at_their_end(ask: Asker) -> None:
    assert ask.made("coupons", "percent_off=33.3000&duration=once")["percent_off"] == 33.3
    price = ask.made("prices", {**MONTHLY, "unit_amount": "900"} | {"nickname": "a"})
    form = f"product={price['product']}&currency=USD&unit_amount_decimal=900.00"
    assert (ask.made("prices", form)["unit_amount"], ask.made("prices", form)["currency"]) == (900, "usd")


def test_parameters_of_a_write_may_stand_in_its_address(ask: Asker) -> None:
    assert ask.made("customers?email=ada@example.com")["email"] == "ada@example.com"


def test_white_space_around_names_is_dropped_and_countries_are_capitals(ask: Asker) -> None:
    ada = ask.made("customers", {"name": " Ada ", "phone": " 1 ", "address[country]": "de"})
    assert (ada["name"], ada["phone"], ada["address"]["country"]) == ("Ada", "1", "DE")
    assert ask.made("products", {"name": " Pro "})["name"] == "Pro"


def test_an_empty_value_unsets_and_what_cannot_be_unset_says_so(ask: Asker, buyer: str) -> None:
    ask.made(f"customers/{buyer}", {"description": "x", "address[city]": "Bonn", "metadata[a]": "1"})
    ada = ask.made(f"customers/{buyer}", "description=&address=&metadata=")
    assert (ada["description"], ada["address"], ada["metadata"]) == (None, None, {})
    assert ask.refused("POST", "payment_intents", "amount=&currency=usd")["code"] == "parameter_invalid_empty"


@pytest.mark.parametrize(
    ("path", "form", "message", "param"),
    [
        ("subscriptions", "items=x&customer=c", "Invalid array", "items"),
        ("customers", "address=x", "Invalid object", "address"),
        ("customers", "tax_exempt=x", "Invalid tax_exempt: must be one of none, reverse, or exempt", "tax_exempt"),
        ("invoices", "collection_method=x", "must be one of charge_automatically or send_invoice", "collection_method"),
        ("prices", "currency=usd&recurring[interval]=x", "must be one of month, year, week, or day",
         "recurring[interval]"),
        ("products", "name=P&active=True", "Invalid boolean: True", "active"),
        ("customers", "description=" + "x" * 5001, "Invalid string: xxxx...xxxx; must be at most 5000 characters",
         "description"),
        ("coupons", "percent_off=abc", "Invalid decimal: abc", "percent_off"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_form_has_stripes_message_and_no_code(
    ask: Asker, path: str, form: str, message: str, param: str
) -> None:
    refused = ask.refused("POST", path, form)
    assert message in refused["message"]
    assert (refused["param"], "code" in refused) == (param, False)


def test_an_unknown_name_is_told_before_anything_that_is_missing(ask: Asker) -> None:
    refused = ask.refused("POST", "subscriptions", "items[0][prise]=price_1")
    assert refused["message"] == "Received unknown parameter: items[0][prise]"
    assert (refused["param"], refused["code"]) == ("items[0][prise]", "parameter_unknown")
    assert ask.refused("GET", "customers", "created[gtee]=1")["param"] == "created[gtee]"


def test_a_filter_on_time_is_a_number_or_a_range(ask: Asker) -> None:
    assert ask.refused("GET", "customers", "created=abc")["code"] == "parameter_invalid_integer"
    assert ask("GET", "customers", "created[gte]=1&created[lt]=9")[1]["data"] == []


@pytest.mark.parametrize(
    ("form", "message", "param"),
    [
        ("percent_off=1&amount_off=2&currency=usd",
         "Received both percent_off and amount_off parameters. Please pass in only one.", None),
        ("", "Must provide percent_off or amount_off.", None),
        ("amount_off=5", "You must pass currency when passing amount_off", "currency"),
        ("percent_off=0", "This value must be greater than or equal to 0.01 (it currently is '0.0').", "percent_off"),
        ("percent_off=101", "This value must be less than or equal to 100 (it currently is '101.0').", "percent_off"),
        ("percent_off=1&duration=repeating",
         "The duration_in_months param must be set when creating a coupon with a repeating duration", "duration"),
        ("percent_off=1&redeem_by=1000", "You specified the value `1000` which is in the past.", "redeem_by"),
        ("amount_off=5&currency=usd&currency_options[EUR][amount_off]=4",
         "Currencies must be lowercase when used as keys in a map. Use `eur` instead of `EUR`.", "currency_options"),
    ],
)  # fmt: skip
def test_a_coupon_that_cannot_be(ask: Asker, form: str, message: str, param: str | None) -> None:
    refused = ask.refused("POST", "coupons", form)
    assert message in refused["message"]
    assert refused.get("param") == param


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("currency=usd&unit_amount=1", "You must specify either `product` or `product_data` when creating a price."),
        ("currency=usd&unit_amount=1&product=prod_1&product_data[name]=P",
         "You may only specify one of these parameters: product, product_data."),
        ("currency=usd&product_data[name]=P",
         "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set."),
        ("currency=usd&product_data[name]=P&unit_amount=1&recurring[interval]=day&recurring[interval_count]=1096",
         "The interval_count for daily prices can't be greater than 1095"),
    ],
)  # fmt: skip
def test_a_price_that_cannot_be(ask: Asker, form: str, message: str) -> None:
    assert ask.refused("POST", "prices", form)["message"] == message


def test_the_default_price_of_a_product_is_its_own(ask: Asker) -> None:
    foreign, product = ask.made("prices", MONTHLY), ask.made("products", {"name": "P"})
    refused = ask.refused("POST", f"products/{product['id']}", {"default_price": foreign["id"]})
    assert refused["message"] == f"The price `{foreign['id']}` does not belong to this product."


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (["x y"], "Not a valid URL"),
        ([""], "Not a valid URL"),
        (["ftp://example.com/a.png"], "Not a valid URL"),
        (["https://example.com/ä.png"], "Non-ASCII characters in URLs must be percent-encoded"),
        (["https://example.com/" + "a" * 2048], "URL must be 2048 characters or less"),
        (["https://example.com/a.png"] * 9, "Array images exceeded maximum 8 allowed elements."),
    ],
)
def test_pictures_of_a_product_are_at_most_eight_web_addresses(ask: Asker, images: list[str], message: str) -> None:
    form = {"name": "P", **{f"images[{number}]": address for number, address in enumerate(images)}}
    assert message in ask.refused("POST", "products", form)["message"]


def test_eight_pictures_are_kept_and_an_empty_value_removes_them(ask: Asker) -> None:
    form = {"name": "P", **{f"images[{number}]": "example.com/a.png" for number in range(8)}}
    product = ask.made("products", form)
    assert len(product["images"]) == 8
    assert ask.made(f"products/{product['id']}", "images=")["images"] == []
    assert ask.refused("POST", f"products/{product['id']}", "images[0]=:")["param"] == "images[0]"


def test_a_product_with_its_first_price_is_told_of_once(ask: Asker) -> None:
    form = {"name": "P", "default_price_data[currency]": "usd", "default_price_data[unit_amount]": "5"}
    product = ask.made("products", form)
    events = ask("GET", "events")[1]["data"][::-1]
    assert [event["type"] for event in events] == ["product.created", "price.created"]
    assert events[0]["data"]["object"]["default_price"] == product["default_price"]


def test_what_is_deleted_is_told_as_inactive(ask: Asker) -> None:
    ask("DELETE", f"products/{ask.made('products', {'name': 'P'})['id']}")
    ask("DELETE", f"coupons/{ask.made('coupons', {'percent_off': '5'})['id']}")
    events = {event["type"]: event["data"]["object"] for event in ask("GET", "events")[1]["data"]}
    assert (events["product.deleted"]["active"], events["coupon.deleted"]["valid"]) == (False, False)


def test_refunds_are_refused_in_stripes_words(ask: Asker) -> None:
    form = {"amount": "900", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true",
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never"}  # fmt: skip
    paid = ask.made("payment_intents", form)["id"]
    held = ask.made("payment_intents", {**form, "capture_method": "manual"})
    assert ask.refused("POST", "refunds", "amount=5")["message"] == (
        "One of the following params should be provided for this request: payment_intent or charge."
    )
    assert ask.refused("POST", "refunds", {"payment_intent": paid, "amount": "0"}) == {
        "message": "This value must be greater than or equal to 1.",
        "param": "amount",
        "code": "parameter_invalid_integer",
    }
    assert f"was created by a PaymentIntent ({held['id']})" in ask.refused(
        "POST", "refunds", {"charge": held["latest_charge"]})["message"]  # fmt: skip


def test_a_setup_intent_that_is_over_says_so(ask: Asker) -> None:
    done = ask.made("setup_intents", "payment_method=pm_card_visa&confirm=true&return_url=https://x.co")["id"]
    gone = ask.made("setup_intents")["id"]
    ask.made(f"setup_intents/{gone}/cancel")
    told = [ask.refused("POST", f"setup_intents/{name}/{verb}") for name in (done, gone) for verb in
            ("confirm", "cancel")]  # fmt: skip
    assert [error["message"].partition(" because ")[2].partition(".")[0] for error in told] == [
        "it has already succeeded", "it has a status of succeeded", "it has been canceled", "it is already canceled",
    ]  # fmt: skip
