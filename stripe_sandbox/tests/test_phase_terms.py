"""A phase has terms of payment, thresholds and texts; those that it leaves out are lost when it begins."""

from typing import Any

import pytest

from .metered import Shop, shop

__all__ = ["shop"]


FIELD = {"name": "PO number", "value": "17"}


@pytest.fixture
def sub(shop: Shop) -> Any:
    """Return a subscription of a flat and a metered price, whose terms all differ from the defaults."""
    items = shop.licensed(unit_amount=2000), shop.price(unit_amount=1)
    made = shop.subscribed(*items, collection_method="send_invoice", days_until_due=14, description="Ours")
    flat, metered = made["items"].data
    return shop.client.v1.subscriptions.update(
        made.id,
        {
            "billing_thresholds": {"amount_gte": 5000},
            "invoice_settings": {"description": "PO 17", "footer": "Thank you", "custom_fields": [FIELD]},
            "items": [
                {"id": metered.id, "billing_thresholds": {"usage_gte": 200}},
                {"id": flat.id, "metadata": {"seat": "a"}},
            ],
        },
    )


def phase(sub: Any, **more: Any) -> Any:
    flat, metered = sub["items"].data
    return {"items": [{"price": flat.price.id}, {"price": metered.price.id}], **more}


def told(sub: Any) -> dict[str, Any]:
    """Return the parameters that repeat the terms of the subscription."""
    metered = next(item for item in sub["items"].data if item.price.recurring.usage_type == "metered")
    flat = next(item for item in sub["items"].data if item.id != metered.id)
    return {
        "items": [
            {"price": flat.price.id, "metadata": {"seat": "a"}},
            {"price": metered.price.id, "billing_thresholds": {"usage_gte": 200}},
        ],
        "billing_thresholds": {"amount_gte": 5000, "reset_billing_cycle_anchor": False},
        "collection_method": "send_invoice",
        "description": "Ours",
        "invoice_settings": {
            "days_until_due": 14,
            "description": "PO 17",
            "footer": "Thank you",
            "custom_fields": [FIELD],
        },
    }


def scheduled(shop: Shop, sub: Any, **terms: Any) -> Any:
    """Put the subscription under a schedule whose second phase has these terms, and let that begin."""
    made = shop.client.v1.subscription_schedules.create({"from_subscription": sub.id})
    now = made.phases[0]
    first: Any = {**phase(sub), **told(sub), "start_date": now.start_date, "end_date": now.end_date}
    second: Any = {**phase(sub), **terms, "proration_behavior": "none"}
    v1 = shop.client.v1
    v1.subscription_schedules.update(made.id, {"phases": [first, second], "end_behavior": "release"})
    shop.pass_period(sub)
    return v1.subscriptions.retrieve(sub.id)


def terms(sub: Any) -> dict[str, Any]:
    shown = sub.to_dict()
    names = ("billing_thresholds", "collection_method", "days_until_due", "description", "invoice_settings")
    items = {row["price"]["id"]: (row["metadata"], row["billing_thresholds"]) for row in shown["items"]["data"]}
    return {**{name: shown[name] for name in names}, "items": items}


def test_a_phase_that_repeats_every_term_changes_none(shop: Shop, sub: Any) -> None:
    after = scheduled(shop, sub, **told(sub))
    assert terms(after) == terms(sub)
    invoice = shop.latest(sub)
    assert (invoice.description, invoice.footer, invoice.collection_method) == ("PO 17", "Thank you", "send_invoice")


def test_a_phase_that_says_nothing_loses_thresholds_and_texts(shop: Shop, sub: Any) -> None:
    after = scheduled(shop, sub)
    assert (after.billing_thresholds, after.invoice_settings.description) == (None, None)
    assert [item.billing_thresholds for item in after["items"].data] == [None, None]
    assert (after.collection_method, after.days_until_due) == ("send_invoice", 14), "the schedule's defaults say so"


def test_a_schedule_from_nothing_begins_with_the_terms_of_its_phase(shop: Shop, sub: Any) -> None:
    given: Any = {"customer": shop.subscriber().id, "start_date": "now", "phases": [told(sub)]}
    made = shop.client.v1.subscription_schedules.create(given)
    begun = shop.client.v1.subscriptions.retrieve(str(made.subscription))
    assert terms(begun) == terms(sub)


def test_a_preview_takes_phases_with_all_their_terms(shop: Shop, sub: Any) -> None:
    texts: Any = {"invoice_settings": {"days_until_due": 14}}
    details: Any = {"phases": [{**told(sub), **texts, "start_date": "now"}]}
    shown = shop.client.v1.invoices.create_preview({"customer": shop.subscriber().id, "schedule_details": details})
    assert shown.total == 2000


@pytest.mark.parametrize(
    "wrong",
    [
        {"billing_thresholds": {"amount_gte": 10}},
        {"collection_method": "charge_automatically", "invoice_settings": {"days_until_due": 3}},
        {"items": "flat"},
    ],
)
def test_terms_that_do_not_go_together_are_refused(shop: Shop, sub: Any, wrong: Any) -> None:
    flat = sub["items"].data[0].price.id
    if "items" in wrong:
        wrong = {"items": [{"price": flat, "billing_thresholds": {"usage_gte": 5}}]}
    given: Any = {"customer": shop.subscriber().id, "start_date": "now", "phases": [{**phase(sub), **wrong}]}
    with pytest.raises(Exception, match=r"threshold|days_until_due"):
        shop.client.v1.subscription_schedules.create(given)
