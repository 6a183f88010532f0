"""Lists, searches and `expand[]` are asked for by hand, and answer and refuse in Stripe's words.

**Reported** and **recorded** by others at version 2026-08-26.dahlia, where it is not documented.
"""

import pytest

from .by_hand import MONTHLY, Asker, ask, buyer

__all__ = ["ask", "buyer"]


def test_a_limit_out_of_bounds_is_the_nearest_one_but_in_a_search(ask: Asker) -> None:
    for _ in range(3):
        ask.made("customers", "email=ada@example.com")
    assert [len(ask("GET", "customers", f"limit={limit}")[1]["data"]) for limit in (0, -5, 101)] == [1, 1, 3]
    query = {"query": "email:'ada@example.com'"}
    assert ask.refused("GET", "customers/search", {**query, "limit": 0})["message"] == (
        "This value must be greater than or equal to 1."
    )
    assert "(it currently is '101')" in ask.refused("GET", "customers/search", {**query, "limit": 101})["message"]
    assert ask.refused("GET", "customers/search", {**query, "page": "x"})["message"] == "x is an invalid page."


def test_a_cursor_that_is_none_is_named(ask: Asker) -> None:
    ada = ask.made("customers")["id"]
    assert ask.refused("GET", "customers", "starting_after=cus_none") == {
        "message": "No such customer: 'cus_none'", "param": "starting_after", "code": "resource_missing",
    }  # fmt: skip
    assert ask.refused("GET", "customers", f"starting_after=cus_none&ending_before={ada}")["param"] == "starting_after"
    both = ask.refused("GET", "customers", f"starting_after={ada}&ending_before={ada}")
    only = "Received both starting_after and ending_before parameters. Please pass in only one."
    assert both == {"message": only}


@pytest.mark.parametrize("path", ["customers", "customers/search"])
def test_pages_go_through_everything_once(ask: Asker, path: str) -> None:
    ids = [ask.made("customers", "email=ada@example.com")["id"] for _ in range(7)][::-1]
    found, asked = [], {"limit": 3, **({"query": "email:'ada@example.com'"} if "search" in path else {})}
    while True:
        page = ask("GET", path, asked)[1]
        found += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        asked |= {"page": page["next_page"]} if "search" in path else {"starting_after": found[-1]}
    assert found == ids


def test_pages_go_back_from_the_last(ask: Asker) -> None:
    ids = [ask.made("customers")["id"] for _ in range(5)][::-1]
    first = ask("GET", "customers", f"limit=3&ending_before={ids[4]}")[1]
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (ids[1:4], True)
    second = ask("GET", "customers", f"limit=3&ending_before={ids[1]}")[1]
    assert ([row["id"] for row in second["data"]], second["has_more"]) == (ids[:1], False)


@pytest.mark.parametrize(
    ("path", "param", "message"),
    [
        ("subscriptions", "customer", "No such customer: 'x'"),
        ("invoices", "subscription", "No such subscription: 'x'"),
        ("prices", "product", "No such product: 'x'"),
        ("payment_methods", "customer", "No such customer: 'x'"),
    ],
)
def test_a_list_of_nobodys_is_refused(ask: Asker, path: str, param: str, message: str) -> None:
    refused = ask.refused("GET", path, {param: "x"})
    assert (refused["message"], refused["param"], refused["code"]) == (message, param, "resource_missing")
    assert ask.refused("GET", path, {param: ""})["code"] == "parameter_invalid_empty"


def test_what_a_deleted_customer_had_is_still_listed(ask: Asker, buyer: str) -> None:
    price = ask.made("prices", MONTHLY)["id"]
    sub = ask.made("subscriptions", {"customer": buyer, "items[0][price]": price})
    ask("DELETE", f"customers/{buyer}")
    listed = ask("GET", "subscriptions", f"customer={buyer}&status=all")[1]["data"]
    assert [(row["id"], row["customer"]) for row in listed] == [(sub["id"], buyer)]
    assert ask("GET", f"customers/{buyer}")[1] == {"id": buyer, "object": "customer", "deleted": True}
    assert ask("POST", f"customers/{buyer}", "name=A")[0] == 404


@pytest.mark.parametrize(
    ("path", "expand", "message"),
    [
        ("one", "nope", "This property cannot be expanded (nope)."),
        ("one", "status", "This property cannot be expanded (status)."),
        ("one", "metadata", "This property cannot be expanded (metadata)."),
        ("list", "customer", "You may want to try expanding 'data.customer' instead."),
        ("list", "data.nope", "This property cannot be expanded (nope)."),
        ("list", "data", "This property cannot be expanded (data)."),
        ("list", "total_count", "This property cannot be included (total_count)"),
        ("one", "customer.a.b.c.d", "You cannot expand more than 4 levels of a property. Property: customer.a.b.c.d"),
    ],
)
def test_what_cannot_be_expanded_is_named(ask: Asker, buyer: str, path: str, expand: str, message: str) -> None:
    sub = ask.made("subscriptions", {"customer": buyer, "items[0][price]": ask.made("prices", MONTHLY)["id"]})
    refused = ask.refused(
        "GET", f"subscriptions/{sub['id']}" if path == "one" else "subscriptions", f"expand[]={expand}"
    )
    assert message in refused["message"]
    assert "param" not in refused


def test_only_the_first_name_of_a_path_is_checked(ask: Asker, buyer: str) -> None:
    sub = ask.made("subscriptions", {"customer": buyer, "items[0][price]": ask.made("prices", MONTHLY)["id"]})
    paths = ("customer.nope", "items.data.price.product", "latest_invoice.payments.data.payment.payment_intent")
    shown = ask("GET", f"subscriptions/{sub['id']}", "&".join(f"expand[{n}]={path}" for n, path in enumerate(paths)))[1]
    assert (shown["customer"]["object"], "nope" in shown["customer"]) == ("customer", False)
    assert shown["items"]["data"][0]["price"]["product"]["name"] == "Pro"
    assert shown["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]["status"] == "succeeded"


def test_a_publishable_key_and_none_are_told_apart(ask: Asker) -> None:
    for key, message in {"pk_test_x": "with a publishable API key", "": "You did not provide an API key."}.items():
        status, body = ask("GET", "customers", Authorization=f"Bearer {key}".strip() if key else "")
        assert (status, message in body["error"]["message"]) == (401, True)


def test_a_slash_at_the_end_of_an_address_is_explained(ask: Asker) -> None:
    status, body = ask("GET", "customers/")
    assert (status, "remove the trailing slash" in body["error"]["message"]) == (404, True)


def test_an_idempotency_key_too_long_is_an_error_of_its_own(ask: Asker) -> None:
    status, body = ask("POST", "customers", Idempotency_Key="k" * 256)
    assert (status, body["error"]["type"]) == (400, "idempotency_error")
