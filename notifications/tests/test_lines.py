"""Each mail speaks of one line: another line's access, mails and plan neither hide it nor stand in it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import signals
from billing.models import Grant, Hold, Plan, Subscription
from notifications import mails, outbox, reasons, rendering
from notifications.models import Mail

from .conftest import DECEMBER, JANUARY

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage(subscription):
    """The same customer's subscription in another line."""
    plan = Plan.objects.create(slug="mail-storage", name="Storage", line="storage", rank=1)
    return Subscription.objects.create(
        customer=subscription.customer, stripe_id="sub_2", status="active", plan=plan, line="storage",
        current_period_start=DECEMBER, current_period_end=JANUARY,
    )  # fmt: skip


@pytest.fixture
def gift(customer):
    """Somebody without a subscription, to whom staff gave Team."""
    plan = Plan.objects.create(slug="mail-team", name="Team", rank=2)
    now = timezone.now()
    until = now + timedelta(days=9)
    who = customer.subscriber
    return Grant.objects.create(subscriber=who, source="staff:1", plan=plan, granted_at=now, until=until)


def hold(customer, **columns):
    return Hold.objects.create(customer=customer, kind="staff", reference="1", placed_at=DECEMBER, **columns)


def granted(subscription, because="hold_staff"):
    signals.access_granted.send(
        sender=Subscription, subscription=subscription, reason="active", revoked_because=because
    )


def sent():
    return list(Mail.objects.filter(status="sent", kind="access_restored").order_by("created_at", "key"))


def text(mail):
    return " ".join(rendering.render(mail).text.split())


def test_access_that_is_back_in_two_lines_at_one_moment_is_told_of_each(subscription, storage, work, time_machine):
    time_machine.move_to(DECEMBER, tick=False)
    granted(subscription)
    granted(storage)
    work()
    assert [mail.context["plan"] for mail in sent()] == ["Pro", "Storage"]
    assert "full access to Storage again" in text(sent()[1])


def test_the_welcome_to_one_line_does_not_hide_that_another_is_back(subscription, storage, work):
    mails.welcome(storage)
    granted(subscription)
    work()
    assert [mail.context["plan"] for mail in sent()] == ["Pro"]


def test_the_welcome_of_the_same_line_does(subscription, storage, work):
    mails.welcome(subscription)
    granted(subscription)
    work()
    assert (sent(), Mail.objects.get(kind="access_restored").error) == ([], reasons.TOLD_BETTER)


def test_a_line_on_hold_is_not_told_to_be_back_because_another_has_access(subscription, storage):
    hold(subscription.customer, subscription_id="sub_1")
    granted(subscription)
    granted(storage)
    told = dict(Mail.objects.values_list("context__line", "error"))
    assert told == {"main": reasons.NO_ACCESS, "storage": ""}


def test_who_has_only_what_staff_gave_is_told_of_that_plan(customer, gift, work):
    granted(Subscription(customer=customer))
    work()
    assert "full access to Team again" in text(sent()[0])


@pytest.mark.parametrize("because", ["no_subscription", "canceled", "unpaid", "grace_over"])
def test_what_staff_give_after_access_was_lost_is_told_since_no_other_mail_does(subscription, gift, work, because):
    Subscription.objects.update(status="unpaid")
    granted(subscription, because)
    work()
    assert [mail.context["plan"] for mail in sent()] == ["Team"]


def test_a_first_gift_is_not_told_as_access_that_is_back(customer, gift):
    granted(Subscription(customer=customer), "")
    assert Mail.objects.get().error == reasons.NOT_BACK


def test_what_staff_gave_and_took_back_before_sending_is_not_told(customer, gift, work):
    granted(Subscription(customer=customer))
    gift.delete()
    work()
    assert Mail.objects.get().error == reasons.NO_ACCESS


def test_an_end_beside_another_line_says_nothing_of_the_free_plan(subscription, storage):
    Subscription.objects.filter(pk=subscription.pk).update(status="canceled")
    mail = mails.subscription_ended(Subscription.objects.get(pk=subscription.pk), "")
    assert "Your subscription to Pro ended" in text(mail)
    assert "free plan" not in text(mail)
    Subscription.objects.filter(pk=storage.pk).update(status="canceled")
    assert "on the free plan" in text(mail), "as it is when it is sent"


def test_a_scheduled_end_promises_access_in_its_line_alone(subscription, storage):
    Subscription.objects.filter(pk=subscription.pk).update(cancel_at=JANUARY)
    mail = mails.cancellation_scheduled(Subscription.objects.get(pk=subscription.pk), JANUARY)
    assert "You keep full access to Pro" in text(mail)
    assert "moves to the free plan" not in text(mail)
    hold(subscription.customer, subscription_id="sub_1")
    assert "keep full access" not in text(mail)
    assert outbox.deliver(mail.pk) == "sent"
