"""Prices on sale are found, the portal leads back, and of a phase only what may be sent again is."""

import pytest

from billing.lifecycle import phases, portal, prices
from billing.lifecycle.refusals import NoSubscription, PriceNotOffered
from billing.models import Plan, Price

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    plan = Plan.objects.create(slug="sold", name="Sold", rank=100)
    Price.objects.create(
        pk="price_sold", plan=plan, currency="usd", unit_amount=100, interval="month", currency_options={"eur": 90}
    )
    return plan


@pytest.mark.parametrize("currency", ["", "usd", "eur"])
def test_a_price_is_found_by_plan_and_interval_in_each_of_its_currencies(plan, currency):
    assert prices.price_of("sold", "month", currency).pk == "price_sold"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("sold", "year"), 'We don\'t sell a yearly plan called "sold".'),
        (("sold", "fortnight"), 'We don\'t sell a fortnight plan called "sold".'),
        (("gold", "month"), 'We don\'t sell a monthly plan called "gold".'),
        (("sold", "month", "sek"), "We don't sell Sold in SEK."),
        (("sold", "month", "", 3), 'We don\'t sell a plan called "sold" that is billed every 3 months.'),
    ],
)
def test_what_is_not_sold_is_refused_in_words_that_name_it(plan, asked, sentence):
    with pytest.raises(PriceNotOffered) as refused:
        prices.price_of(*asked)
    assert str(refused.value) == sentence


def test_a_plan_that_is_not_public_is_not_sold(plan):
    Plan.objects.filter(pk=plan.pk).update(is_public=False)
    with pytest.raises(PriceNotOffered):
        prices.price_of("sold", "month")


# The portal


def test_the_portal_is_of_the_subscriber_leads_back_and_is_ours_where_setup_made_one(world, settings):
    ada = world.subscribed()
    assert portal.configuration_of_ours() is None
    features = {"invoice_history": {"enabled": True}}
    made = [
        world.stripe("POST", "billing_portal/configurations", metadata=mark, features=features)["id"]
        for mark in ({}, {portal.MARK: "1"})
    ]
    found = portal.configuration_of_ours()
    assert found["id"] == made[1] != made[0]
    assert portal.open_portal(ada.user).startswith("http")


def test_what_is_asked_of_the_portal_is_said_in_full(world, settings, monkeypatch):
    ada, asked = world.subscribed(), []

    def post(path, idempotency_key, **params):
        asked.append((path, idempotency_key, params))
        return {"url": "https://portal"}

    monkeypatch.setattr(portal.stripe_client, "post", post)
    for ours, more in ((None, {}), ({"id": "bpc_1"}, {"configuration": "bpc_1"})):
        monkeypatch.setattr(portal, "configuration_of_ours", lambda ours=ours: ours)
        assert portal.open_portal(ada.user) == "https://portal"
        path, key, params = asked.pop()
        assert (path, key.startswith(f"portal:{ada.customer}:")) == ("/v1/billing_portal/sessions", True)
        assert params == {"customer": ada.customer, "return_url": f"{settings.SITE_URL}/billing/", **more}


def test_who_never_bought_has_no_portal(world):
    with pytest.raises(NoSubscription):
        portal.open_portal(world.sign_up())


# Phases


@pytest.mark.parametrize(
    ("phase", "sent"),
    [
        ({}, {}),
        ({"discounts": None}, {}),
        ({"discounts": []}, {}),
        (
            {"discounts": [{"coupon": {"id": "c_1"}, "promotion_code": None, "discount": None, "other": "x"},
                           {"coupon": None, "promotion_code": "promo_1"}, {"discount": {"id": "di_1"}}]},
            {"discounts": [{"coupon": "c_1"}, {"promotion_code": "promo_1"}, {"discount": "di_1"}]},
        ),
    ],
)  # fmt: skip
def test_a_phases_discounts_are_sent_again_by_their_ids_and_nothing_where_there_are_none(phase, sent):
    assert phases.of_phase({**phase, "items": []}) == sent
