"""Staff draft an agreement, look it over, and send or discard it: with a permission, a reason and a log."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from billing import access, clock
from billing.models import Agreement, Plan, Price

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/billing/agreement/add/"


def member(*permissions):
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(bob)
    client.pk = bob.pk
    return client


@pytest.fixture
def staff(world):
    return member("send_agreement", "view_agreement", "view_user")


@pytest.fixture
def ada(world):
    return world.sign_up()


def draft(client, to, **given):
    team = Plan.objects.get(slug="team").pk
    known = {
        "subscriber": to.pk, "plan": team, "interval": "month", "interval_count": "1", "days_until_due": "30",
        "key": "staff:form-1", "reason": "as agreed by phone",
    }  # fmt: skip
    return client.post(ADD, {**known, **given}, follow=True)


def do(client, name, reason="as agreed"):
    address = f"/admin/billing/agreement/{Agreement.objects.get().pk}/do/{name}/"
    return client.post(address, {"reason": reason} if reason else {}, follow=True)


def said(answer):
    return answer.content.decode()


def test_an_agreement_is_drafted_looked_over_and_sent_with_a_log_of_both(world, staff, ada):
    page = said(draft(staff, ada, amount="1500.00", currency="usd", quantity="2", po_number="4711"))
    assert "Drafted. Nothing has happened at Stripe yet" in page
    assert "$3,000.00 per month, as agreed" in page
    assert ">Send</a>" in page
    asks = said(staff.get(f"/admin/billing/agreement/{Agreement.objects.get().pk}/do/send/"))
    assert (
        "At once, the subscription starts, with access, and Stripe sends ada@example.com an invoice of $3,000.00"
        in asks
    )
    page = said(do(staff, "send"))
    assert "Sent. Stripe has sent the first invoice." in page
    assert ">Send</a>" not in page
    assert access.has_access(ada, plan="team")
    told = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert told == ["Drafted: as agreed by phone", "Sent: as agreed"]
    assert Agreement.objects.get().sent_by == f"staff:{staff.pk}"


def test_the_form_sent_twice_drafts_one(staff, ada):
    draft(staff, ada)
    draft(staff, ada)
    assert Agreement.objects.count() == 1


def test_sent_twice_it_starts_once(world, staff, ada):
    draft(staff, ada)
    do(staff, "send")
    do(staff, "send")
    customer = Agreement.objects.get().customer_id
    assert len(world.stripe("GET", "subscriptions", customer=customer, status="all")["data"]) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"days_until_due": "-1"}, "An invoice is due in 1 to 365 days."),
        ({"amount": "0"}, "The amount must be more than zero"),
        ({"amount": "1.005", "currency": "usd"}, "Write the amount with at most 2 decimals."),
        ({"quantity": "0"}, "The quantity must be between 1 and"),
        ({"starts_on": "2001-01-01"}, "The start is in the past."),
        ({"interval": "week"}, "has no price that is billed weekly"),
        ({"plan": ""}, "Choose a plan."),
        ({"trial_days": "731"}, "A trial may last 0 to 730 days"),
        ({"discount": "NOPE"}, "There is no valid coupon or promotion code NOPE."),
        ({"subscriber": ""}, "Choose a subscriber."),
        ({"reason": " "}, "Enter a reason"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_drafted(staff, ada, wrong, words):
    answer = draft(staff, ada, **wrong)
    assert (answer.status_code, Agreement.objects.count(), LogEntry.objects.count()) == (400, 0, 0)
    assert words in said(answer).replace("&#x27;", "'")


def test_a_plan_with_no_price_cannot_be_agreed_on(staff, ada):
    plan = Plan.objects.create(slug="enterprise", name="Enterprise", rank=9)
    assert "has no price at Stripe" in said(draft(staff, ada, plan=plan.pk, amount="5"))


def test_beside_a_live_subscription_it_is_refused_in_words_and_can_be_sent_later(world, staff):
    ada = world.subscribed()
    draft(staff, ada.user)
    answer = do(staff, "send")
    assert answer.status_code == 409
    assert "The subscriber has a live subscription of this line" in said(answer)
    assert LogEntry.objects.count() == 1
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    assert "Sent." in said(do(staff, "send"))


def test_an_agreement_for_a_later_day_says_when_and_can_be_discarded(staff, ada):
    day = (timezone.localdate(clock.now()) + timedelta(days=10)).isoformat()
    draft(staff, ada, starts_on=day)
    assert "Sent. It starts on" in said(do(staff, "send"))
    assert "Discarded. Nothing was started." in said(do(staff, "discard"))
    assert Agreement.objects.get().status == "discarded"


def test_without_a_reason_nothing_is_sent(staff, ada):
    draft(staff, ada)
    assert do(staff, "send", reason="").status_code == 400
    assert Agreement.objects.get().status == "draft"


def test_without_the_permission_nobody_drafts_or_sends(world, ada):
    draft(member("send_agreement", "view_agreement", "view_user"), ada)
    get_user_model().objects.filter(email="bob@example.com").delete()
    looker = member("view_agreement", "view_user")
    assert draft(looker, ada).status_code == 403
    assert do(looker, "send").status_code == 403
    page = looker.get(f"/admin/billing/agreement/{Agreement.objects.get().pk}/change/")
    assert (page.status_code, ">Send</a>" in said(page)) == (200, False)


def test_an_amount_without_a_currency_is_in_that_of_the_plan(staff, ada):
    Price.objects.filter(plan__slug="team").update(currency="jpy", currency_options={})
    draft(staff, ada, amount="1500")
    assert (Agreement.objects.get().currency, Agreement.objects.get().unit_amount) == ("jpy", 1500)
