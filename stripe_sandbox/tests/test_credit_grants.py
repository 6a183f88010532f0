"""Billing credits pay for metered lines, in their order, and never more than was granted."""

from typing import Any

import pytest
import stripe

from .metered import DAY, Shop, lines, shop

__all__ = ["shop"]
BOTH: Any = {"applicability_config": {"scope": {"price_type": "metered", "prices": [{"id": "price_x"}]}}}
METERED: Any = {"scope": {"price_type": "metered"}}


def grant(shop: Shop, customer: Any, value: int, **more: Any) -> Any:
    given: Any = {
        "customer": customer,
        "amount": {"type": "monetary", "monetary": {"currency": "usd", "value": value}},
        "applicability_config": METERED,
        **more,
    }
    return shop.client.v1.billing.credit_grants.create(given)


def balance(shop: Shop, customer: Any, **scope: Any) -> int | None:
    wanted: Any = {"type": "applicability_scope", "applicability_scope": scope or {"price_type": "metered"}}
    found = shop.client.v1.billing.credit_balance_summary.retrieve({"customer": customer, "filter": wanted})
    return found.balances[0].available_balance.monetary.value if found.balances else None


def left(shop: Shop, granted: Any) -> int:
    wanted: Any = {"type": "credit_grant", "credit_grant": granted.id}
    found = shop.client.v1.billing.credit_balance_summary.retrieve({"customer": granted.customer, "filter": wanted})
    return found.balances[0].ledger_balance.monetary.value


def ledger(shop: Shop, **of: Any) -> list[tuple[str, int]]:
    rows: list[Any] = list(shop.client.v1.billing.credit_balance_transactions.list({"limit": 100, **of}).data)
    sides = [row.credit or row.debit for row in reversed(rows)]
    return [(side.type, side.amount.monetary.value) for side in sides]


def used(shop: Shop, sub: Any, value: int) -> Any:
    shop.use(sub, value)
    shop.pass_period(sub)
    return shop.latest(sub)


def test_credits_pay_for_usage_and_not_for_the_licence(shop: Shop) -> None:
    sub = shop.subscribed(shop.licensed(unit_amount=2000), shop.price(unit_amount=5))
    given = grant(shop, sub.customer, 3000)
    invoice = used(shop, sub, 1000)
    assert (invoice.subtotal, invoice.total, invoice.amount_paid, invoice.status) == (7000, 4000, 4000, "paid")
    part = invoice.total_pretax_credit_amounts[0]
    assert (part.amount, part.type) == (3000, "credit_balance_transaction")
    moved: Any = shop.client.v1.billing.credit_balance_transactions.retrieve(part.credit_balance_transaction)
    line = next(row for row in invoice.lines.data if row.amount == 5000)
    assert (line.pretax_credit_amounts[0].amount, moved.debit.credits_applied.to_dict()) == (
        3000,
        {"invoice": invoice.id, "invoice_line_item": line.id},
    )
    assert [row.pretax_credit_amounts for row in invoice.lines.data if row.amount == 2000] == [[]]
    assert (left(shop, given), ledger(shop, credit_grant=given.id)) == (
        0,
        [("credits_granted", 3000), ("credits_applied", 3000)],
    )


def test_what_an_invoice_does_not_need_stays(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5))
    given = grant(shop, sub.customer, 3000)
    assert (used(shop, sub, 100).amount_due, left(shop, given)) == (0, 2500)
    assert (used(shop, sub, 600).amount_due, left(shop, given)) == (500, 0)


def test_the_order_of_grants_is_priority_end_category_and_beginning(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    now = shop.now()
    late, soon = now + 400 * DAY, now + 200 * DAY
    names = {
        "paid": grant(shop, sub.customer, 100),
        "promotional": grant(shop, sub.customer, 100, category="promotional"),
        "late": grant(shop, sub.customer, 100, expires_at=late),
        "soon": grant(shop, sub.customer, 100, expires_at=soon),
        "later soon": grant(shop, sub.customer, 100, expires_at=soon, effective_at=now + 60),
        "first": grant(shop, sub.customer, 100, priority=1),
    }
    found = []
    for _ in names:
        used(shop, sub, 100)
        spent = [name for name, given in names.items() if name not in found and left(shop, given) == 0]
        found += spent
    assert found == ["first", "soon", "later soon", "late", "promotional", "paid"]


def test_a_grant_may_be_for_some_prices(shop: Shop) -> None:
    one, other = shop.price(unit_amount=1), shop.price(shop.new_meter("images"), unit_amount=1)
    sub = shop.subscribed(one, other)
    scope: Any = {"scope": {"prices": [{"id": other.id}]}}
    given = grant(shop, sub.customer, 500, applicability_config=scope)
    assert [price.id for price in given.applicability_config.scope.prices] == [other.id]
    shop.use(sub, 300, "images")
    assert used(shop, sub, 400).amount_due == 400
    assert (balance(shop, sub.customer, prices=[{"id": other.id}]), balance(shop, sub.customer)) == (200, None)
    assert balance(shop, sub.customer, prices=[{"id": one.id}]) is None


def test_credits_come_after_discounts_and_before_the_customers_balance(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    sub = shop.subscribed(
        shop.price(unit_amount=1), customer=shop.subscriber(balance=-300), discounts=[{"coupon": coupon.id}]
    )
    grant(shop, sub.customer, 200)
    invoice = used(shop, sub, 1000)
    assert (invoice.total, invoice.starting_balance, invoice.ending_balance, invoice.amount_due) == (300, -300, 0, 0)


def test_credits_count_from_their_beginning_until_their_end(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    start: Any = sub["items"].data[0].current_period_start
    end: Any = sub["items"].data[0].current_period_end
    grant(shop, sub.customer, 100, effective_at=end + 1)
    short = grant(shop, sub.customer, 100, expires_at=start + DAY)
    assert balance(shop, sub.customer) == 100
    assert used(shop, sub, 100).amount_due == 100
    assert ledger(shop, credit_grant=short.id) == [("credits_granted", 100), ("credits_expired", 100)]
    assert used(shop, sub, 100).amount_due == 0


def test_a_void_invoice_gives_credits_back_and_an_expired_grant_keeps_none(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1), collection_method="send_invoice", days_until_due=30)
    lasting = grant(shop, sub.customer, 100)
    ending = grant(shop, sub.customer, 50, expires_at=sub["items"].data[0].current_period_end + 2 * DAY)
    invoice = used(shop, sub, 500)
    assert (invoice.status, invoice.amount_due) == ("open", 350)
    shop.pass_days(3)
    shop.client.v1.invoices.void_invoice(invoice.id)
    assert ledger(shop, credit_grant=lasting.id)[-1] == ("credits_application_invoice_voided", 100)
    assert ledger(shop, credit_grant=ending.id)[-2:] == [
        ("credits_application_invoice_voided", 50),
        ("credits_expired", 50),
    ]
    assert (left(shop, lasting), left(shop, ending)) == (100, 0)
    back: Any = shop.client.v1.billing.credit_balance_transactions.list({"credit_grant": lasting.id}).data[0]
    assert back.credit.credits_application_invoice_voided.invoice == invoice.id


def test_a_preview_shows_the_credits_and_uses_none(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    given = grant(shop, sub.customer, 300)
    shop.use(sub, 1000)
    preview = shop.client.v1.invoices.create_preview({"subscription": sub.id})
    assert (preview.subtotal, preview.total, left(shop, given)) == (1000, 700, 300)
    assert [part.amount for part in preview.total_pretax_credit_amounts or []] == [300]
    now: Any = {"billing_cycle_anchor": "now"}
    ending = shop.client.v1.invoices.create_preview({"subscription": sub.id, "subscription_details": now})
    assert (ending.subtotal, ending.total, left(shop, given)) == (1000, 700, 300)


def test_a_grant_is_changed_expired_and_voided_while_that_is_possible(shop: Shop) -> None:
    sub, grants = shop.subscribed(shop.price(unit_amount=1)), shop.client.v1.billing.credit_grants
    first, second, third = (
        grant(shop, sub.customer, 100, name=f"No. {number}", metadata={"n": "1"}) for number in range(3)
    )
    assert (first.category, first.priority, first.name) == ("paid", 50, "No. 0")
    until = shop.now() + 100 * DAY
    changed = grants.update(first.id, {"expires_at": until, "metadata": {"order": "7"}})
    assert (changed.expires_at, changed.metadata.to_dict()) == (until, {"n": "1", "order": "7"})
    assert grants.update(first.id, {"expires_at": ""}).expires_at is None
    assert bool(grants.expire(second.id).expires_at)
    assert bool(grants.void_grant(third.id).voided_at)
    kinds = {event.type for event in shop.client.v1.events.list({"types": ["billing.credit_*"], "limit": 100}).data}
    assert kinds == {
        "billing.credit_grant.created", "billing.credit_grant.updated", "billing.credit_balance_transaction.created",
    }  # fmt: skip
    assert (ledger(shop, credit_grant=third.id)[-1], balance(shop, sub.customer)) == (("credits_voided", 100), 100)
    assert used(shop, sub, 60).amount_due == 0
    for call in (
        lambda: grants.void_grant(first.id),
        lambda: grants.expire(second.id),
        lambda: grants.void_grant(third.id),
        lambda: grants.update(third.id, {"expires_at": until + 100 * DAY}),
    ):
        with pytest.raises(stripe.InvalidRequestError):
            call()
    assert grants.expire(first.id).voided_at is None
    assert ledger(shop, credit_grant=first.id)[-1] == ("credits_expired", 40)
    assert {row.id for row in grants.list({"customer": str(sub.customer)}).data} == {first.id, second.id, third.id}
    assert grants.retrieve(third.id).voided_at is not None
    of_customer = shop.client.v1.billing.credit_balance_transactions.list({"customer": str(sub.customer), "limit": 100})
    assert len(of_customer.data) == 7


def test_an_invoice_by_hand_is_not_paid_by_credits(shop: Shop) -> None:
    customer = shop.subscriber()
    given = grant(shop, customer.id, 1000)
    invoice = shop.client.v1.invoices.create({"customer": customer.id, "currency": "usd"})
    shop.client.v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": 500})
    assert shop.client.v1.invoices.finalize_invoice(invoice.id).amount_due == 500
    assert left(shop, given) == 1000


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (BOTH, "applicability_config[scope]"),
        ({"amount": {"type": "monetary"}}, "amount[monetary]"),
        ({"amount": {"type": "monetary", "monetary": {"currency": "usd", "value": 0}}}, "amount[monetary][value]"),
        ({"expires_at": 1}, "expires_at"),
        ({"priority": 101}, "priority"),
    ],
)
def test_what_cannot_be_granted_is_refused(shop: Shop, given: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        grant(shop, shop.subscriber().id, 100, **given)
    assert refused.value.param == param


def test_credits_are_for_metered_prices_and_a_hundred_grants_may_be_unused(shop: Shop) -> None:
    customer = shop.subscriber()
    scope: Any = {"scope": {"prices": [{"id": shop.licensed(unit_amount=5).id}]}}
    with pytest.raises(stripe.InvalidRequestError, match="metered"):
        grant(shop, customer.id, 100, applicability_config=scope)
    for _ in range(100):
        grant(shop, customer.id, 1)
    with pytest.raises(stripe.InvalidRequestError, match="100"):
        grant(shop, customer.id, 1)


def test_credits_pay_for_what_a_threshold_bills_and_once(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1), billing_thresholds={"amount_gte": 1000})
    given = grant(shop, sub.customer, 1500)
    shop.use(sub, 1000)
    shop.pass_days(1)
    assert (shop.latest(sub).billing_reason, shop.latest(sub).amount_due) == ("subscription_threshold", 0)
    assert left(shop, given) == 500
    invoice = used(shop, sub, 700)
    assert [amount for _, amount in lines(invoice)] == [1700, -1000]
    assert (invoice.amount_due, left(shop, given)) == (200, 0)
