"""The mails of a pause say the truth about payments and access, once for each change; mails name discounts."""

import pytest
from django.core import mail

from billing import testing
from billing.lifecycle import checkout, pausing
from notifications import outbox
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world, settings):
    settings.BILLING_PAUSE_DAYS = 100
    ada = world.subscribed()
    send()
    mail.outbox.clear()
    return ada


def send():
    testing.work()
    for each in Mail.objects.filter(status="queued"):
        outbox.deliver(str(each.pk))


def sent():
    send()
    return [message.body for message in mail.outbox]


def test_a_pause_is_mailed_with_its_end_and_what_becomes_of_access(world, ada):
    until = pausing.days_offered(ada.row)[0]
    pausing.pause(ada.user, until)
    (body,) = (" ".join(each.split()) for each in sent())
    assert f"until {until:%B} {until.day}, {until:%Y}" in body
    assert "You keep full access until" in body
    assert "After that it is paused too" in body


def test_its_end_is_mailed_once_and_access_that_is_back_is_not_mailed_beside_it(world, ada):
    pausing.pause(ada.user, pausing.days_offered(ada.row)[0])
    world.advance(days=35)
    world.deliver()
    send()
    mail.outbox.clear()
    pausing.resume_early(ada.user)
    world.deliver()
    send()
    subjects = [message.subject for message in mail.outbox]
    assert subjects.count("Your payments are resumed") == 1
    assert not any("access" in subject.lower() for subject in subjects)


def test_a_pause_that_was_taken_back_before_it_was_mailed_is_not_mailed(world, ada):
    pausing.pause(ada.user, pausing.days_offered(ada.row)[0])
    pausing.resume_early(ada.user)
    send()
    kinds = dict(Mail.objects.filter(kind__startswith="payments_").values_list("kind", "status"))
    assert kinds["payments_paused"] == "skipped"
    assert kinds["payments_resumed"] == "sent"


def test_a_welcome_names_the_discount_and_the_price_that_follows(world):
    coupon = world.stripe("POST", "coupons", percent_off=50, duration="repeating", duration_in_months=3)
    world.stripe("POST", "promotion_codes", code="HALF", promotion={"type": "coupon", "coupon": coupon["id"]})
    attempt = checkout.start(world.sign_up(), "pro", "month", promotion_code="HALF")
    world.control(f"checkout/{attempt.session_id}/complete")
    world.deliver()
    welcome = next(body for body in sent() if "Welcome" in body)
    assert "Discount: −$10.00" in welcome
    assert "$20.00 a month" in welcome
