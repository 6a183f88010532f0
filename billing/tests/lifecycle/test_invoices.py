"""A subscriber's invoices as Stripe has them now: all that is shown of one, by pages, and nobody else's."""

import pytest

from billing import stripe_client
from billing.clock import from_timestamp
from billing.lifecycle import invoices
from billing.lifecycle.invoices import Invoice, Page
from billing.lifecycle.refusals import UnknownCursor

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def three(world, ada):
    """Her invoices at Stripe, newest first; ben has one of his own."""
    world.advance(days=65)
    world.subscribed(email="ben@example.com")
    found = world.stripe("GET", "invoices", customer=ada.customer)["data"]
    assert len(found) == 3
    return found


def ids(page):
    return [invoice.id for invoice in page.invoices]


def test_all_that_is_shown_of_an_invoice_is_as_at_stripe(world, ada):
    [theirs] = world.stripe("GET", "invoices", customer=ada.customer)["data"]
    assert theirs["hosted_invoice_url"].startswith("http")
    assert theirs["invoice_pdf"].startswith("http")
    assert theirs["number"]
    invoice = Invoice(
        theirs["id"], theirs["number"], "paid", from_timestamp(theirs["created"]), 2000, 2000, "usd",
        theirs["hosted_invoice_url"], theirs["invoice_pdf"],
    )  # fmt: skip
    assert invoices.invoices_of(ada.user) == Page([invoice], None)


def test_what_was_not_paid_is_told_apart_from_what_it_costs(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    theirs = world.stripe("GET", "invoices", customer=ada.customer)["data"][0]
    assert all(theirs[name] for name in ("number", "hosted_invoice_url", "invoice_pdf"))
    assert invoices.invoices_of(ada.user).invoices[0] == Invoice(
        theirs["id"], theirs["number"], "open", from_timestamp(theirs["created"]), 2000, 0, "usd",
        theirs["hosted_invoice_url"], theirs["invoice_pdf"],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["number", "hosted_invoice_url", "invoice_pdf"])
def test_what_stripe_has_not_is_empty(world, ada, name):
    [theirs] = world.stripe("GET", "invoices", customer=ada.customer)["data"]
    assert getattr(invoices._invoice({**theirs, name: None}), name) == ""


def test_a_draft_is_no_invoice_yet(world, ada):
    world.stripe("POST", "invoices", customer=ada.customer)
    assert [invoice.status for invoice in invoices.invoices_of(ada.user).invoices] == ["paid"]


def test_pages_follow_each_other_to_the_last_which_has_no_next(ada, three):
    first = invoices.invoices_of(ada.user, limit=2)
    assert (ids(first), first.next) == ([row["id"] for row in three[:2]], f"{ada.customer}:{three[1]['id']}")
    second = invoices.invoices_of(ada.user, first.next, limit=2)
    assert (ids(second), second.next) == ([three[2]["id"]], None)
    whole = invoices.invoices_of(ada.user, limit=3)
    assert (ids(whole), whole.next) == ([row["id"] for row in three], None)


def test_more_than_stripe_gives_at_once_is_asked_for_as_what_it_gives(ada, three, monkeypatch):
    ask, asked = stripe_client.get, []

    def noted(path, **params):
        asked.append(params)
        return ask(path, **params)

    monkeypatch.setattr(stripe_client, "get", noted)
    for limit in (99, 100, 101):
        assert len(invoices.invoices_of(ada.user, limit=limit).invoices) == 3
    assert [params["limit"] for params in asked] == [99, 100, 100]
    assert invoices.invoices_of(ada.user).next is None
    assert asked[-1] == {"customer": ada.customer, "limit": invoices.PAGE}


def test_who_never_bought_has_none_and_stripe_is_not_asked(world):
    before = world.calls()["total"]
    assert invoices.invoices_of(world.sign_up("eve@example.com")) == Page([], None)
    assert world.calls()["total"] == before


@pytest.mark.parametrize("after", ["in_unknown", "cus_another:", "{ada}:in_unknown", "{ada}:,cus_another:"])
def test_a_cursor_that_is_not_of_these_invoices_is_said_to_be_unknown(ada, after):
    after = after.format(ada=ada.customer)
    with pytest.raises(UnknownCursor):
        invoices.invoices_of(ada.user, after)


def test_another_refusal_is_no_unknown_cursor(world, ada):
    world.control("faults", api={"fail_next": 1, "status": 400})
    with pytest.raises(stripe_client.StripeRefused) as refused:
        invoices.invoices_of(ada.user)
    assert not isinstance(refused.value, UnknownCursor)


@pytest.mark.parametrize("limit", [0, -1])
def test_at_least_one_is_asked_for_as_stripe_gives_no_fewer(ada, three, limit):
    assert ids(invoices.invoices_of(ada.user, limit=limit)) == [three[0]["id"]]
