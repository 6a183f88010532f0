"""Somebody at their spend cap is told once a month, unless the cap has moved before the mail goes out."""

import pytest

from billing import usage
from billing.models import Usage
from billing.tests.conftest import world  # noqa: F401
from billing.tests.usage.metered_plans import metered_plans, shop, use  # noqa: F401
from notifications import outbox, rendering
from notifications.models import Mail
from notifications.spending_mails import CAP_MOVED

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Mail.Kind


@pytest.fixture
def ada(shop):  # noqa: F811
    return shop.subscribed("pro")


def mails():
    return list(Mail.objects.filter(kind=Kind.SPEND_CAP_REACHED).order_by("created_at"))


def words(mail):
    return " ".join(rendering.render(mail).text.partition("\n--\n")[0].split())


def test_a_cap_that_stops_is_mailed_once_and_bystanders_hear_nothing(ada, shop):  # noqa: F811
    ben = shop.subscribed("pro", email="ben@example.com")
    usage.capping.set_cap(ada.user, 100, "usd")
    use(ada, 140)
    use(ben, 140)
    for _ in range(2):
        usage.each_minute()
    [mail] = mails()
    assert (mail.customer_id, mail.error) == (ada.customer, "")
    assert "your spend cap of $1.00 allows. You can't use more until" in words(mail)


def test_a_cap_that_warns_says_that_use_goes_on(ada):
    usage.capping.set_cap(ada.user, 100, "usd", "warn")
    use(ada, 500)
    usage.each_minute()
    [mail] = mails()
    assert "You can go on, and you will be charged for what you use." in words(mail)


@pytest.mark.parametrize("mended", ["raised", "removed", "given back"])
def test_it_is_not_sent_once_it_is_no_longer_true(ada, mended):
    usage.capping.set_cap(ada.user, 100, "usd")
    use(ada, 140, key="draft")
    usage.each_minute()
    [mail] = mails()
    Mail.objects.filter(pk=mail.pk).update(status=Mail.Status.QUEUED, sent_at=None, message_id="", token=None)
    if mended == "raised":
        usage.capping.set_cap(ada.user, 50_000, "usd")
    elif mended == "removed":
        usage.capping.remove_cap(ada.user)
    else:
        usage.release(ada.user, "generations", "draft")
    outbox.deliver(str(mail.pk))
    mail.refresh_from_db()
    assert (mail.status, mail.error) == (Mail.Status.SKIPPED, CAP_MOVED)


def test_a_cap_that_was_raised_is_announced_anew_when_it_is_reached(ada):
    usage.capping.set_cap(ada.user, 100, "usd")
    use(ada, 140)
    usage.each_minute()
    usage.capping.set_cap(ada.user, 200, "usd")
    use(ada, 40)
    usage.each_minute()
    assert sorted(mail.context["amount"] for mail in mails()) == [100, 200]  # both of one second


def test_a_switch_turns_it_off(ada, settings):
    settings.NOTIFICATIONS_OFF = {"spend_cap_reached"}
    usage.capping.set_cap(ada.user, 100, "usd")
    use(ada, 140)
    usage.each_minute()
    [mail] = mails()
    assert mail.status == Mail.Status.SKIPPED


def test_nothing_is_marked_as_announced_if_a_receiver_fails(ada, monkeypatch):
    """A worker that dies half-way announces it at its next minute."""
    usage.capping.set_cap(ada.user, 100, "usd")
    use(ada, 140)

    def fail(*_, **__):
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("notifications.outbox.reserve", fail)
        with pytest.raises(RuntimeError):
            usage.capping.announce_reached()
    assert not Usage.objects.filter(has_announced_cap=True).exists()
    assert usage.capping.announce_reached() == 1
    assert len(mails()) == 1
