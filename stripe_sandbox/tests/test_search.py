"""A query finds objects by their fields, in Stripe's search language."""

from typing import Any

import pytest
import stripe

from .conftest import Control


@pytest.fixture
def people(client: stripe.StripeClient) -> dict[str, str]:
    rows: list[dict[str, Any]] = [
        {"name": "Ada Lovelace", "email": "ada@example.com", "metadata": {"team": "red", "seat": "7"}},
        {"name": "Ben Bitdiddle", "email": "ben@example.com", "metadata": {"team": "Red"}},
        {"name": 'Cy "the cat" Doe', "email": "cy@elsewhere.org", "phone": "+15551234"},
    ]
    return {client.v1.customers.create(row).id: str(row["name"]).partition(" ")[0] for row in rows}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('email:"ada@example.com"', "Ada"),
        ("email:'ADA@example.com'", "Ada"),
        ("email~'example'", "Ben Ada"),
        ("-email~'example'", "Cy"),
        ('metadata["team"]:"red"', "Ben Ada"),
        ("metadata['seat']:7", "Ada"),
        ('metadata["team"]:null', "Cy"),
        ('-metadata["team"]:null', "Ben Ada"),
        ("phone:null", "Ben Ada"),
        ("-phone:NULL", "Cy"),
        ("email~'example' metadata['seat']:'7'", "Ada"),
        ("email~'example' AND -metadata['seat']:'7'", "Ben"),
        ("name~'cat' or name~'bit'", "Cy Ben"),
        ('name~"\\"the cat\\""', "Cy"),
        ("created>1000000000", "Cy Ben Ada"),
        ("created<1000000000", ""),
        ("created>=1000000000 created<=9000000000 name~'ada'", "Ada"),
        ("-created:5 -created=6", "Cy Ben Ada"),
    ],
)
def test_a_query_finds_customers(client: stripe.StripeClient, people: dict[str, str], query: str, found: str) -> None:
    rows = client.v1.customers.search({"query": query}).data
    assert " ".join(people[row.id] for row in rows) == found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("ada", "unable to parse your search query"),
        ("", "cannot be unset"),
        ("email:ada", "unable to parse"),
        ('email:"a" nonsense', "unable to parse"),
        ('(email:"a")', "unable to parse"),
        ('shoe:"9"', "Field `shoe` is an unsupported search field for resource `customers`"),
        ('email["k"]:"9"', "Field `email` is an unsupported search field"),
        ('email:"a" AND name:"b" OR name:"c"', "can't combine `AND` and `OR`"),
        ("email~'ab'", "at least 3 characters"),
        ("email>'a'", "cannot be used with the field `email`"),
        ('metadata["k"]~"abc"', "cannot be used with the field `metadata`"),
        ("created:'yesterday'", "compared with numbers only"),
        (" ".join(["name:'a'"] * 11), "at most 10 clauses"),
    ],
)
def test_a_query_that_stripe_does_not_read_is_refused(client: stripe.StripeClient, query: str, words: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words):
        client.v1.customers.search({"query": query})


def test_pages_follow_one_another_and_the_count_is_shown_when_asked_for(
    client: stripe.StripeClient, people: dict[str, str]
) -> None:
    first = client.v1.customers.search({"query": "created>0", "limit": 2, "expand": ["total_count"]})
    assert [people[row.id] for row in first.data] == ["Cy", "Ben"]
    assert (first.has_more, first.to_dict()["total_count"]) == (True, 3)
    second = client.v1.customers.search({"query": "created>0", "limit": 2, "page": first.next_page})
    assert [people[row.id] for row in second.data] == ["Ada"]
    assert (second.has_more, second.next_page, "total_count" in second) == (False, None, False)
    every = client.v1.customers.search({"query": "created>0", "limit": 1}).auto_paging_iter()
    assert [people[row.id] for row in every] == ["Cy", "Ben", "Ada"]
    with pytest.raises(stripe.InvalidRequestError, match="elsewhere is an invalid page"):
        client.v1.customers.search({"query": "created>0", "page": "elsewhere"})
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 100"):
        client.v1.customers.search({"query": "created>0", "limit": 101})


def test_every_kind_is_found_by_its_own_fields(
    client: stripe.StripeClient, control: Control, subscribed: Any, price: Any
) -> None:
    sub = subscribed(subscription_data={"metadata": {"order": "9"}})
    invoice, charge = client.v1.invoices.retrieve(sub.latest_invoice), client.v1.charges.list().data[0]
    v1: Any = client.v1
    for family, query, found in (
        ("charges", "payment_method_details.card.last4:4242 AND amount:2000 AND currency:'usd'", charge.id),
        ("charges", f"disputed:'false' refunded:'false' customer:'{sub.customer}'", charge.id),
        ("invoices", f"subscription:'{sub.id}' total>1999", invoice.id),
        ("invoices", f"number:'{invoice.number}' status:'paid' last_finalization_error_code:null", invoice.id),
        ("payment_intents", "amount<2001 status:'succeeded'", charge.payment_intent),
        ("prices", "lookup_key:'pro' active:'true' type:'recurring'", price.id),
        ("products", "name~'pro' -active:'false' url:null", price.product),
        ("subscriptions", "metadata['order']:'9' status:'active' canceled_at:null", sub.id),
    ):
        assert [row.id for row in getattr(v1, family).search({"query": query}).data] == [found], query
    expanded = client.v1.subscriptions.search({"query": "status:'active'", "expand": ["data.customer"]}).data[0]
    assert expanded.customer.email == "alice@example.com"


def test_what_is_deleted_is_not_found(client: stripe.StripeClient, people: dict[str, str]) -> None:
    client.v1.customers.delete(next(iter(people)))
    assert [people[row.id] for row in client.v1.customers.search({"query": "created>0"}).data] == ["Cy", "Ben"]


def test_every_kind_has_pages(client: stripe.StripeClient, subscribed: Any) -> None:
    assert subscribed().id != subscribed().id
    client.v1.prices.create({"product_data": {"name": "Hat"}, "currency": "usd", "unit_amount": 5})
    v1: Any = client.v1
    for family, query in (
        ("charges", "amount>0"),
        ("invoices", "total>0"),
        ("payment_intents", "amount>0"),
        ("prices", "active:'true'"),
        ("products", "active:'true'"),
        ("subscriptions", "status:'active'"),
    ):
        search = getattr(v1, family).search
        both, first = search({"query": query}).data, search({"query": query, "limit": 1})
        second = search({"query": query, "limit": 1, "page": first.next_page})
        assert [first.data[0].id, second.data[0].id] == [row.id for row in both], family
