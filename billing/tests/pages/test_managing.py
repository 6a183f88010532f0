"""Changing what one has, on pages and without JavaScript."""

import re

import pytest

from billing.pages.days import day

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    return ada


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def confirm(client, page):
    """Press the button of the preview's form, with all it holds."""
    form = page.content.decode().split('action="/billing/change"')[1].split("</form>")[0]
    fields = dict(re.findall(r'name="(plan|interval|proration_date)" value="([^"]*)"', form))
    return client.post("/billing/change", fields, follow=True)


def test_an_upgrade_is_shown_with_its_price_then_paid_and_in_effect(ada, client):
    assert "Preview the change to Team" in text(client.get("/billing/change"))
    page = client.get("/billing/change?plan=team&interval=month")
    assert "You pay the difference now" in text(page)
    assert "Due now $40.00" in text(page)
    assert "Your plan has been changed." in text(confirm(client, page))
    assert ada.row.plan.slug == "team"


def test_the_payment_of_an_upgrade_says_what_it_was_for(world, ada, client):
    confirm(client, client.get("/billing/change?plan=team&interval=month"))
    world.deliver()
    assert re.search("Plan change .40.00 ", text(client.get("/billing/")))


@pytest.mark.parametrize("date", ["soon", "-1", "1" * 12, "²"])
def test_a_preview_that_is_none_changes_nothing_and_says_so(ada, client, date):
    fields = {"plan": "team", "interval": "month", "proration_date": date}
    assert "This form is not from a preview." in text(client.post("/billing/change", fields, follow=True))
    assert ada.row.plan.slug == "pro"


def test_a_downgrade_waits_for_the_period_s_end_and_can_be_taken_back(ada, client):
    confirm(client, client.get("/billing/change?plan=team&interval=month"))
    page = client.get("/billing/change?plan=pro&interval=month")
    assert "Nothing is charged today." in text(page)
    done = confirm(client, page)
    assert done.content.decode().count('class="banner') == 1
    account = text(done)
    assert "Your plan changes to Pro on" in account
    assert "Keep Team" in account
    assert "The change is cancelled." in text(client.post("/billing/change/take-back", follow=True))
    assert "Your plan changes" not in text(client.get("/billing/"))


def test_a_declined_card_changes_nothing_and_leads_to_another_card(world, ada, client):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    page = confirm(client, client.get("/billing/change?plan=team&interval=month"))
    assert page.status_code == 402
    assert "Use another card" in text(page)
    assert ada.row.plan.slug == "pro"


def test_who_leaves_keeps_the_plan_to_the_end_and_may_think_better_of_it(ada, client):
    assert "At the end of the period" in text(client.get("/billing/cancel"))
    page = text(client.post("/billing/cancel", {"when": "period_end"}, follow=True))
    assert re.findall("Your subscription is cancelled [^.]*", page) == [
        f"Your subscription is cancelled You keep Pro until {day(ada.row.cancel_at)}"
    ]
    assert "continues as before" in text(client.post("/billing/resume", follow=True))
    assert ada.row.cancel_at is None


def test_leaving_now_ends_access_now(ada, client):
    assert "Your subscription is cancelled." in text(client.post("/billing/cancel", {"when": "now"}, follow=True))
    assert not ada.access.has_access


@pytest.mark.parametrize("page", ["cancel", "resume"])
def test_success_is_said_only_of_what_stripe_shows(ada, client, monkeypatch, page):
    if page == "resume":
        client.post("/billing/cancel", {"when": "period_end"})
    monkeypatch.setattr("billing.lifecycle.live_subscription.Standing.update", lambda *args, **kwargs: {})
    said = text(client.post(f"/billing/{page}", {"when": "period_end"}, follow=True))
    assert "Our payment provider does not show this change yet." in said
    assert "continues as before" not in said


def test_a_way_of_leaving_that_is_none_asks_again(ada, client):
    assert "When should it end?" in text(client.post("/billing/cancel", {"when": "someday"}))
    assert ada.access.has_access


def test_the_portal_and_the_invoices_are_one_s_own(world, ada, client):
    world.control("portal")
    assert "/p/" in client.post("/billing/portal").headers["Location"]
    page = client.get("/billing/invoices")
    assert "$20.00" in text(page)
    assert "/i/" in page.content.decode()


@pytest.mark.parametrize("path", ["change", "change/take-back", "cancel", "resume", "portal", "invoices"])
def test_a_stranger_is_asked_to_sign_in(client, world, path):
    answer = client.post(f"/billing/{path}") if path != "invoices" else client.get(f"/billing/{path}")
    assert answer.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", ["change?plan=team&interval=month", "cancel", "invoices"])
def test_who_never_bought_is_told_so_and_nothing_breaks(client, world, path):
    client.force_login(world.sign_up())
    assert client.get(f"/billing/{path}", follow=True).status_code == 200


def test_while_stripe_is_away_the_page_says_that_to_ask_again_is_safe(world, ada, client):
    world.control("faults", api={"fail_next": 20, "status": 503})
    page = client.post("/billing/cancel", {"when": "now"})
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "we do not know yet whether this went through" in text(page)
    assert "be charged twice" in text(page)


def test_a_price_that_belongs_to_no_plan_is_told_in_words(world, ada, client):
    product = world.stripe("POST", "products", name="Newspaper")["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=100, recurring={"interval": "month"}
    )
    item = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=[{"id": item, "price": price["id"]}])
    world.deliver()
    answer = client.get("/billing/change?plan=team&interval=month")
    assert answer.status_code == 500
    assert "know. Nothing was changed. Write to us" in text(answer)
