"""A deletion asks Stripe for its own customer's things alone, page by page, by keys that a later try changes."""

from datetime import UTC, datetime

import pytest
import stripe

from billing.lifecycle import unpaid
from billing.lifecycle.deletion import steps
from billing.lifecycle.live_subscription import Standing
from billing.models import AccountDeletion, Customer

MAY = datetime(2026, 5, 1, tzinfo=UTC)
LATER = int(MAY.timestamp()) + 1


class Stripe:
    """Answers reads from lists by their path, and notes what is asked and what is written."""

    def __init__(self):
        self.lists, self.asked, self.written, self.refuses = {}, [], [], {}

    def get(self, path, **params):
        self.asked.append((path, params))
        found = self.lists.get(path, [])
        if isinstance(found, dict):
            return found
        if wanted := params.get("status"):
            found = [row for row in found if wanted in ("all", row.get("status"))]
        start = next((n for n, row in enumerate(found, 1) if row["id"] == params.get("starting_after")), 0)
        return {"data": found[start : start + 2], "has_more": len(found) > start + 2}

    def post(self, path, idempotency_key, **params):
        self.written.append((path, idempotency_key, params))
        if path in self.refuses:
            raise stripe.InvalidRequestError("no", "id", code=self.refuses[path])

    def delete(self, path, idempotency_key):
        self.post(path, idempotency_key)
        for row in self.lists.get("/v1/subscriptions", []):
            row["status"] = "canceled" if path.endswith(row["id"]) else row["status"]

    @property
    def paths(self):
        return [path for path, _, _ in self.written]


@pytest.fixture
def at_stripe(monkeypatch):
    made = Stripe()
    for name in ("get", "post", "delete"):
        monkeypatch.setattr(steps.stripe_client, name, getattr(made, name))
    return made


@pytest.fixture
def leaving():
    return AccountDeletion(pk="d", customer_id="cus_ada", attempts=3, requested_at=MAY)


def rows(*pairs):
    return [{"id": name, "status": status} for name, status in pairs]


def test_a_list_is_read_to_its_end_and_of_this_customer_alone(at_stripe, leaving):
    at_stripe.lists["/v1/invoices"] = rows(*((f"in_{n}", "open") for n in range(5)))
    assert [row["id"] for row in steps._list_all(leaving, "/v1/invoices", status="open")] == [
        f"in_{n}" for n in range(5)
    ]
    asked = {"limit": 100, "status": "open", "customer": "cus_ada"}
    after = [{}, {"starting_after": "in_1"}, {"starting_after": "in_3"}]
    assert at_stripe.asked == [("/v1/invoices", {**asked, **more}) for more in after]
    at_stripe.asked.clear()
    list(steps._list_all(leaving, "/v1/customers/cus_ada/payment_methods"))
    assert at_stripe.asked == [("/v1/customers/cus_ada/payment_methods", {"limit": 100})]


@pytest.mark.parametrize(("found", "is_deleted"), [({"deleted": True}, True), ({"id": "cus_ada"}, False)])
def test_whether_the_customer_is_deleted_is_asked_of_stripe(at_stripe, leaving, found, is_deleted):
    at_stripe.lists["/v1/customers/cus_ada"] = found
    assert steps.is_customer_deleted(leaving) is is_deleted


def test_only_schedules_that_are_open_are_released(at_stripe, leaving):
    states = ("not_started", "active", "completed", "released", "canceled")
    at_stripe.lists["/v1/subscription_schedules"] = rows(*((state, state) for state in states))
    steps.release_schedules(leaving)
    paths = [f"/v1/subscription_schedules/{state}/release" for state in ("not_started", "active")]
    assert at_stripe.written == [(path, f"deletion:d:3:{path}", {}) for path in paths]


def test_open_invoices_are_void_and_drafts_are_never_collected(at_stripe, leaving):
    at_stripe.lists["/v1/invoices"] = rows(("in_1", "open"), ("in_2", "draft"), ("in_3", "paid"), ("in_4", "void"))
    steps.void_invoices(leaving)
    assert at_stripe.written == [
        ("/v1/invoices/in_1/void", "deletion:d:3:/v1/invoices/in_1/void", {}),
        ("/v1/invoices/in_2", "deletion:d:3:/v1/invoices/in_2", {"auto_advance": False}),
    ]


def subscriptions(at_stripe, *found):
    at_stripe.lists["/v1/subscriptions"] = [
        {"id": name, "status": status, "created": created} for name, status, created in found
    ]


def test_all_that_has_not_ended_is_cancelled_and_only_what_was_bought_since_is_refunded(at_stripe, leaving):
    subscriptions(
        at_stripe, ("sub_1", "active", LATER - 1), ("sub_2", "incomplete", LATER), ("sub_3", "canceled", LATER),
        ("sub_4", "incomplete_expired", 1), ("sub_5", "canceled", LATER - 1),
    )  # fmt: skip
    paid = {"payments": {"data": [{"payment": {"payment_intent": "pi_1"}}, {"payment": {"charge": "ch_1"}}]}}
    at_stripe.lists["/v1/invoices"] = [{"id": "in_1", "status": "paid", **paid}]
    steps.cancel_subscriptions(leaving)
    cancelled = [f"/v1/subscriptions/{name}" for name in ("sub_1", "sub_2")]
    assert at_stripe.written[:2] == [(path, f"deletion:d:3:{path}", {}) for path in cancelled]
    refund = ("/v1/refunds", "deletion:d:3:refund:pi_1", {"payment_intent": "pi_1"})
    assert at_stripe.written[2:] == [refund, refund], "of sub_2 and sub_3"
    invoices = [params for path, params in at_stripe.asked if path == "/v1/invoices"]
    assert [params["subscription"] for params in invoices] == ["sub_2", "sub_3"]
    assert {(params["status"], *params["expand"]) for params in invoices} == {("paid", "data.payments")}


def test_what_stripe_does_not_let_go_is_named(at_stripe, leaving, monkeypatch):
    subscriptions(at_stripe, ("sub_1", "active", 1), ("sub_2", "past_due", 1))
    monkeypatch.setattr(steps.stripe_client, "delete", lambda path, idempotency_key: None)
    with pytest.raises(steps.StillBilled, match="Not ended at Stripe: sub_1, sub_2"):
        steps.cancel_subscriptions(leaving)


def test_the_customer_is_deleted_or_scrubbed_of_all_that_is_personal(at_stripe, leaving, settings):
    path, methods = "/v1/customers/cus_ada", "/v1/customers/cus_ada/payment_methods"
    at_stripe.lists[methods] = [{"id": "pm_1"}, {"id": "pm_2"}]
    settings.BILLING_DELETE_CUSTOMER = True
    steps.remove_customer(leaving)
    assert at_stripe.written == [(path, f"deletion:d:3:delete:{path}", {})]
    at_stripe.written.clear()
    settings.BILLING_DELETE_CUSTOMER = False
    steps.remove_customer(leaving)
    assert at_stripe.paths == ["/v1/payment_methods/pm_1/detach", "/v1/payment_methods/pm_2/detach", path]
    scrubbed = dict.fromkeys(("email", "name", "phone", "description", "address", "shipping"), "")
    assert at_stripe.written[-1][2] == {**scrubbed, "metadata": {"billing_subscriber": ""}}


@pytest.mark.parametrize(("status", "raises"), [("open", True), ("complete", False), ("expired", False)])
def test_a_checkout_that_refuses_to_expire_is_no_obstacle_once_it_has_ended(at_stripe, leaving, status, raises):
    at_stripe.lists["/v1/checkout/sessions"] = rows(("cs_1", "open"), ("cs_2", "open"), ("cs_3", "complete"))
    at_stripe.lists["/v1/checkout/sessions/cs_1"] = {"status": status}
    at_stripe.refuses["/v1/checkout/sessions/cs_1/expire"] = "x"
    if raises:
        with pytest.raises(stripe.InvalidRequestError):
            steps.expire_checkouts(leaving)
        return
    steps.expire_checkouts(leaving)
    assert at_stripe.paths == [f"/v1/checkout/sessions/{name}/expire" for name in ("cs_1", "cs_2")]


# Cancelling


def test_the_invoices_of_this_subscription_that_are_open_or_a_draft_are_unpaid(at_stripe, monkeypatch):
    monkeypatch.setattr("billing.stripe_client.client.get", at_stripe.get)
    drafts = [(f"in_{n}", "draft") for n in range(2, 5)]
    at_stripe.lists["/v1/invoices"] = rows(("in_1", "open"), *drafts, ("in_9", "paid"))
    found = unpaid.invoices_of(Standing(Customer(pk="cus_ada"), {"id": "sub_1"}))
    assert [invoice["id"] for invoice in found] == ["in_1", "in_2", "in_3", "in_4"]
    asked = {"subscription": "sub_1", "limit": 100}
    pages = [{"status": "open"}, {"status": "draft"}, {"status": "draft", "starting_after": "in_3"}]
    assert at_stripe.asked == [("/v1/invoices", {**asked, **page}) for page in pages]
