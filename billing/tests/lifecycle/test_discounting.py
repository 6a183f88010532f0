"""A discount is given beside those that are there, and taken away alone; what Stripe would not take is refused here."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import stripe

from billing.catalogue.coupons import Coupon
from billing.lifecycle import discounting, refusals
from billing.lifecycle.live_subscription import Standing
from billing.models import Customer
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db


def di(name, coupon="half", code=None):
    return {"id": name, "source": {"coupon": coupon}, "coupon": {"id": coupon}, "promotion_code": code}


@pytest.fixture
def written(monkeypatch):
    """The writes, without their keys, which name the customer."""
    calls = []

    def post(path, idempotency_key, **params):
        assert ":cus_1:" in idempotency_key or idempotency_key.startswith("coupon:")
        calls.append((path, params))
        return {"pending_update": None, "code": "ABC", "total": 7}

    monkeypatch.setattr("billing.stripe_client.post", post)
    return calls


@pytest.fixture
def at_stripe(monkeypatch):
    """The coupons and codes that Stripe has, by name."""
    coupons, codes = {}, {}

    def named(text, subscriber=None):
        if text not in codes:
            raise refusals.CodeUnknown
        if codes[text] is None:
            raise refusals.CodeExpired
        return codes[text]

    monkeypatch.setattr(discounting.fetch, "coupon", coupons.get)
    monkeypatch.setattr(discounting.codes, "named", named)
    return SimpleNamespace(coupons=coupons, codes=codes)


def standing(*discounts, **changes):
    return Standing(Customer(pk="cus_1"), found(discounts=list(discounts), **changes))


SCHEDULE = {"schedule": {"id": "sub_sched_1", "status": "active"}}
UPDATE = {"pending_update": {"subscription_items": [], "expires_at": 9}}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"status": "past_due"}, None),
        ({"status": "canceled"}, refusals.NoSubscription),
        (SCHEDULE, refusals.ChangePending),
        (UPDATE, refusals.ChangePending),
    ],
)
def test_what_has_ended_or_would_lose_it_again_is_given_none_and_loses_none(written, changes, refusal):
    now = standing(di("di_1"), **changes)
    works = (lambda: discounting.give(now, {"coupon": "other"}), lambda: discounting.take_away(now, "di_1"))
    for work in works:
        if refusal:
            with pytest.raises(refusal):
                work()
        else:
            work()
    assert len(written) == (0 if refusal else 2)


def test_a_discount_is_given_beside_those_that_are_there(written):
    discounting.give(standing(di("di_1")), {"coupon": "other"})
    assert written == [("/v1/subscriptions/sub_1", {"discounts": [{"discount": "di_1"}, {"coupon": "other"}]})]
    assert discounting.with_it(standing(di("di_1")), {"coupon": "other"}) == written[0][1]["discounts"]
    assert discounting.with_it(standing(), {"coupon": "other"}) == [{"coupon": "other"}]


def test_one_that_is_there_by_the_same_coupon_is_not_given_again(written):
    now = standing(di("di_1"), di("di_2", "other"))
    discounting.give(now, {"coupon": "half"})
    assert written == []
    assert discounting.with_it(now, {"coupon": "half"}) == [{"discount": "di_1"}, {"discount": "di_2"}]


@pytest.mark.parametrize(
    ("discounts", "left"),
    [([di("di_1")], ""), ([di("di_1"), di("di_2")], [{"discount": "di_2"}]),
     ([di("di_0"), di("di_1")], [{"discount": "di_0"}])],
)  # fmt: skip
def test_one_is_taken_away_and_the_others_stay(written, discounts, left):
    now = standing(*discounts)
    discounting.take_away(now, "di_1")
    assert written == [("/v1/subscriptions/sub_1", {"discounts": left})]
    assert discounting.without_it(now, "di_1") == (left or [])


def test_one_of_an_item_is_taken_from_that_item_alone(written):
    items = [item(), {**item(), "id": "si_2", "discounts": [di("di_8"), di("di_9")]}]
    discounting.take_away(standing(di("di_1"), items=items), "di_9")
    assert written == [
        (
            "/v1/subscriptions/sub_1",
            {"items": [{"id": "si_2", "discounts": [{"discount": "di_8"}]}], "proration_behavior": "none"},
        )
    ]
    written.clear()
    items[1]["discounts"] = [di("di_9")]
    discounting.take_away(standing(items=items), "di_9")
    assert written[0][1]["items"] == [{"id": "si_2", "discounts": ""}]
    with pytest.raises(refusals.NoDiscount):
        discounting.take_away(standing(di("di_1"), items=items), "di_7")


@pytest.mark.parametrize(
    ("discounts", "params"),
    [(None, {}), ([], {"discounts": ""}), ([{"coupon": "half"}], {"discounts": [{"coupon": "half"}]})],
)
def test_the_next_invoice_is_previewed_as_it_will_be_or_with_these_discounts(written, discounts, params):
    assert discounting.previewed(standing(), discounts)["total"] == 7
    assert written == [("/v1/invoices/create_preview", {"subscription": "sub_1", **params})]


def test_a_code_is_known_before_a_coupon_and_a_coupon_only_while_it_is_valid(at_stripe):
    at_stripe.coupons |= {
        "HALF": {"id": "HALF", "valid": True, "percent_off": 50}, "OLD": {"id": "OLD", "valid": False},
        "BARE": {"id": "BARE"}, "SPENT": {"id": "SPENT", "valid": True, "percent_off": 5},
        **{name: {"id": name, "valid": True, "percent_off": 5} for name in ("", "two words", "../x", "x" * 201)},
    }  # fmt: skip
    coupon = Coupon("five", amounts={"usd": 5, "eur": 4})
    at_stripe.codes |= {"FIVE": SimpleNamespace(id="promo_5", coupon=coupon), "SPENT": None}
    assert discounting.named("FIVE") == ({"promotion_code": "promo_5"}, coupon)
    entry, terms = discounting.named("HALF")
    assert (entry, terms.percent_off) == ({"coupon": "HALF"}, 50)
    assert discounting.named("SPENT")[0] == {"coupon": "SPENT"}
    for name in ("OLD", "BARE", "NOTHING", "", "two words", "../x", "x" * 201):
        with pytest.raises(refusals.DiscountUnknown):
            discounting.named(name)


def test_a_discount_is_taken_by_its_name_where_it_counts_in_the_currency(at_stripe):
    coupon = Coupon("five", amounts={"usd": 5, "eur": 4})
    at_stripe.codes["FIVE"] = SimpleNamespace(id="promo_5", coupon=coupon)
    for currency in ("", "usd", "eur"):
        assert discounting.entry_named(" FIVE ", currency) == {"promotion_code": "promo_5"}
    with pytest.raises(refusals.DiscountUnknown, match="nothing off in GBP, but in EUR, USD"):
        discounting.entry_named("FIVE", "gbp")


def test_a_code_is_made_for_one_customer_and_one_use(written, at_stripe):
    at_stripe.coupons |= {"half": {"id": "half", "valid": True}, "old": {"id": "old", "valid": False}}
    until = datetime(2027, 1, 1, tzinfo=UTC)
    assert discounting.make_code(Customer(pk="cus_1"), "half", until) == "ABC"
    assert written == [
        (
            "/v1/promotion_codes",
            {
                "promotion": {"type": "coupon", "coupon": "half"}, "customer": "cus_1", "max_redemptions": 1,
                "expires_at": int(until.timestamp()),
            },
        )
    ]  # fmt: skip
    for name in ("old", "nothing", "two words"):
        with pytest.raises(refusals.DiscountUnknown):
            discounting.make_code(Customer(pk="cus_1"), name, until)
    assert len(written) == 1


@pytest.mark.parametrize("code", ["resource_already_exists", "other"])
def test_a_coupon_of_ours_is_made_once_and_any_other_refusal_is_raised(written, monkeypatch, code):
    discounting.make_coupon("stay", 25, 3)
    assert written == [
        ("/v1/coupons", {"id": "stay", "percent_off": 25.0, "duration": "repeating", "duration_in_months": 3})
    ]

    def refuse(path, **params):
        raise stripe.InvalidRequestError("No.", "id", code=code)

    monkeypatch.setattr("billing.stripe_client.post", refuse)
    if code == "other":
        with pytest.raises(stripe.InvalidRequestError):
            discounting.make_coupon("stay", 25, 3)
    else:
        discounting.make_coupon("stay", 25, 3)


@pytest.mark.parametrize(
    ("there", "entry", "has"),
    [
        (di("di_1", code="promo_1"), {"promotion_code": "promo_1"}, True),
        (di("di_1", code={"id": "promo_1"}), {"promotion_code": "promo_1"}, True),
        (di("di_1", code="promo_2"), {"promotion_code": "promo_1"}, False),
        (di("di_1"), {"promotion_code": "promo_1"}, False),
        (di("di_1", code="promo_1"), {"coupon": "half"}, True),
        (di("di_1", code="promo_1"), {"coupon": "other"}, False),
        ({"id": "di_1", "source": None}, {"coupon": "half"}, False),
        ("di_1", {"coupon": "half"}, False),
    ],
)
def test_a_discount_is_there_by_the_same_code_or_coupon(there, entry, has):
    kept = [{"discount": "di_1"}]
    assert discounting.with_it(standing(there), entry) == (kept if has else [*kept, entry])
