"""A buyer brings a promotion code: it is preset at Checkout, or refused with the reason and nothing is begun."""

import pytest

from billing import testing
from billing.lifecycle import checkout, refusals
from billing.models import CheckoutAttempt, Discount

pytestmark = pytest.mark.django_db


@pytest.fixture
def code(world):
    """`code("HALF", percent_off=50, …)`: a promotion code at Stripe; `rules` are its restrictions."""

    def make(text, *, rules=None, customer=None, most=None, until=None, **terms):
        terms = terms or {"percent_off": 50}
        coupon = world.stripe("POST", "coupons", **{"duration": "forever", **terms})
        return world.stripe(
            "POST",
            "promotion_codes",
            code=text,
            promotion={"type": "coupon", "coupon": coupon["id"]},
            **({"restrictions": rules} if rules else {}),
            **({"customer": customer} if customer else {}),
            **({"max_redemptions": most} if most else {}),
            **({"expires_at": until} if until else {}),
        )

    return make


def session_of(world, attempt):
    return world.stripe("GET", f"checkout/sessions/{attempt.session_id}")


def buy(world, user, code="", **asked):
    return checkout.start(user, "pro", "month", promotion_code=code, **asked)


def test_a_code_is_preset_and_the_first_payment_is_less(world, code):
    made = code("HALF")
    ada = world.sign_up()
    attempt = buy(world, ada, "half")
    session = session_of(world, attempt)
    assert attempt.promotion_code == made["id"]
    assert session["discounts"] == [{"coupon": made["promotion"]["coupon"], "promotion_code": made["id"]}]
    assert session["allow_promotion_codes"] is None
    world.control(f"checkout/{attempt.session_id}/complete")
    world.deliver()
    row = Discount.objects.get()
    assert (row.code, row.saves, row.subscription.mrr_off) == ("HALF", 1000, 1000)


def test_without_a_code_the_buyer_may_enter_one_at_stripe(world):
    session = session_of(world, buy(world, world.sign_up()))
    assert session["allow_promotion_codes"] is True
    assert session["discounts"] == []


def test_the_open_attempt_remembers_its_code(world, code):
    code("HALF"), code("THIRD", percent_off=33)
    ada = world.sign_up()
    first = buy(world, ada, "HALF")
    assert buy(world, ada, "half").pk == first.pk
    second = buy(world, ada, "THIRD")
    assert second.pk != first.pk
    assert session_of(world, first)["status"] == "expired"
    third = buy(world, ada)
    assert third.pk != second.pk
    assert session_of(world, third)["allow_promotion_codes"] is True


@pytest.mark.parametrize("text", ["NOPE", "x" * 300, "half off", "%00", "../coupons"])
def test_an_unknown_code_is_refused_and_nothing_is_begun(world, text):
    with pytest.raises(refusals.CodeUnknown):
        buy(world, world.sign_up(), text)
    assert not CheckoutAttempt.objects.exists()


def test_a_code_that_is_used_up_or_over_is_refused(world, code):
    code("ONCE", most=1)
    ada = buy(world, world.sign_up(), "ONCE")
    world.control(f"checkout/{ada.session_id}/complete")
    ben = world.sign_up("ben@example.com")
    with pytest.raises(refusals.CodeExpired):
        buy(world, ben, "ONCE")
    code("SHORT", until=int(testing.now().timestamp()) + 60)
    world.advance(days=1)
    with pytest.raises(refusals.CodeExpired):
        buy(world, ben, "SHORT")


def test_an_amount_in_another_currency_is_refused_and_named(world, code):
    code("FIVE", amount_off=500, currency="usd", currency_options={"gbp": {"amount_off": 400}})
    with pytest.raises(refusals.CodeOfAnotherCurrency, match="EUR, but in GBP, USD"):
        buy(world, world.sign_up(), "FIVE", currency="eur")
    assert buy(world, world.sign_up("ben@example.com"), "FIVE").promotion_code


def test_a_purchase_below_the_minimum_is_refused_with_the_amount(world, code):
    code("LARGE", rules={"minimum_amount": 5000, "minimum_amount_currency": "usd"})
    with pytest.raises(refusals.CodeBelowMinimum, match=r"at least \$50.00"):
        buy(world, world.sign_up(), "LARGE")
    with pytest.raises(refusals.CodeBelowMinimum, match="EUR, but in USD"):
        buy(world, world.sign_up("eva@example.com"), "LARGE", currency="eur")
    assert checkout.start(world.sign_up("ben@example.com"), "pro", "year", promotion_code="LARGE").promotion_code
    with pytest.raises(refusals.CodeRefused):  # nothing is paid when a trial begins, says Stripe
        checkout.start(world.sign_up("flo@example.com"), "team", "month", promotion_code="LARGE")


def test_a_first_time_code_is_refused_to_who_has_paid(world, code):
    code("FIRST", rules={"first_time_transaction": True})
    ada = world.subscribed()
    world.advance(days=20)
    world.deliver()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    with pytest.raises(refusals.CodeFirstTime):
        buy(world, ada.user, "FIRST")
    assert buy(world, world.sign_up("ben@example.com"), "FIRST").promotion_code


def test_a_code_of_another_plan_is_refused(world, code):
    team = world.stripe("GET", "prices", lookup_keys=["team_month"])["data"][0]
    code("TEAMS", percent_off=10, applies_to={"products": [team["product"]]})
    with pytest.raises(refusals.CodeOfAnotherPlan):
        buy(world, world.sign_up(), "TEAMS")
    assert checkout.start(world.sign_up("ben@example.com"), "team", "month", promotion_code="TEAMS").promotion_code


def test_somebody_elses_code_is_unknown(world, code):
    ada = world.subscribed()
    code("ADAS", customer=ada.customer)
    with pytest.raises(refusals.CodeUnknown):
        buy(world, world.sign_up("ben@example.com"), "ADAS")


def test_a_code_used_up_between_our_question_and_the_session_is_refused_as_a_code(world, code, monkeypatch):
    made = code("ONCE", most=1)
    monkeypatch.setattr("billing.lifecycle.codes.named_for", lambda *_: made["id"])
    world.stripe("POST", f"promotion_codes/{made['id']}", active=False)
    with pytest.raises(refusals.CodeRefused):
        buy(world, world.sign_up(), "ONCE")
    assert CheckoutAttempt.objects.get().status == "expired"
