"""SendGrid reports through the real address: states converge in any order, and dead addresses are left alone."""

import base64
import itertools
import json

import pytest
from anymail.backends.postmark import EmailBackend as PostmarkBackend
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from billing.tests.mailing import send_by
from notifications import suppression, urls
from notifications.conf import conf
from notifications.models import Mail, Suppression

SECRET = "sendgrid:a-long-random-word"
URL = "/anymail/sendgrid/tracking/"
Status = Mail.Status
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    settings.NOTIFICATIONS_TRACKING = ["sendgrid", "postmark"]


@pytest.fixture
def sent(reserve, work):
    """A mail that the provider took."""
    mail = reserve()
    assert work() == [Status.SENT]
    mail.refresh_from_db()
    return mail


# As SendGrid's documentation of its event webhook shows them; `custom_args` stand among the others.
SHAPES = {
    "processed": {"event": "processed", "send_at": 0},
    "deferred": {"event": "deferred", "response": "400 try again later", "attempt": "5"},
    "delivered": {"event": "delivered", "response": "250 OK"},
    "open": {"event": "open", "useragent": "Mozilla/4.0", "ip": "255.255.255.255"},
    "bounce": {"event": "bounce", "reason": "500 unknown recipient", "status": "5.0.0", "type": "bounce"},
    "blocked": {"event": "bounce", "reason": "421 too many mails", "status": "4.2.1", "type": "blocked"},
    "dropped": {"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"},
    "spamreport": {"event": "spamreport"},
}


def about(mail, shape, /, **changes):
    return {
        "email": "Alice@example.com",
        "timestamp": int(timezone.now().timestamp()),
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "category": [mail.kind],
        "sg_event_id": "ZGVmYXVsdDEyMw",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "mail": mail.key,
        "message": mail.message_id,
        **SHAPES[shape],
        **changes,
    }


def post(client, *events, secret=SECRET, body=None):
    headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    content = json.dumps(events) if body is None else body
    return client.post(URL, content, content_type="application/json", headers=headers)


def state(mail):
    mail.refresh_from_db()
    return mail.status


def test_a_delivered_mail_is_delivered(client, sent):
    assert post(client, about(sent, "processed"), about(sent, "delivered"), about(sent, "open")).status_code == 200
    assert (state(sent), sent.error, sent.reported_at is not None) == (Status.DELIVERED, "", True)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("order", list(itertools.permutations(["delivered", "bounce", "spamreport"])))
def test_any_order_and_any_repetition_come_to_the_same_end(client, sent, order):
    for shape in (*order, *order[:2]):
        assert post(client, about(sent, shape)).status_code == 200
    found = Suppression.objects.get()
    assert (state(sent), found.pk, found.reason) == (Status.COMPLAINED, "alice@example.com", "complained")


def test_a_report_that_overtakes_our_own_stamp_stands(client, reserve, work, monkeypatch):
    mail = reserve()

    def send(self, messages):
        post(client, about(Mail.objects.get(), "delivered"))

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", send)
    work()
    assert (state(mail), mail.token, mail.sent_at is not None) == (Status.DELIVERED, None, True)


def test_a_mail_of_which_nobody_knew_whether_it_was_sent_is_known_to_be(client, sent):
    Mail.objects.update(status=Status.UNCONFIRMED)
    post(client, about(sent, "delivered"))
    assert state(sent) == Status.DELIVERED


def test_an_address_that_bounced_is_not_mailed_again_until_staff_lift_it(client, sent, reserve, work, mailoutbox):
    mailoutbox.clear()
    post(client, about(sent, "bounce"))
    assert (state(sent), sent.error) == (Status.BOUNCED, "500 unknown recipient")
    second = reserve("payment_received:in_2")
    assert work() == [Status.SKIPPED]
    assert "bounced" in Mail.objects.get(pk=second.pk).error
    assert mailoutbox == []
    suppression.lift(Suppression.objects.get())
    post(client, about(sent, "bounce"))
    third = reserve("payment_received:in_3")
    assert work() == [Status.SENT], "the same report again says nothing new"
    assert third.recipient == mailoutbox[0].to[0]


def test_a_bounce_after_it_was_lifted_counts_anew(client, sent, reserve, work, later):
    post(client, about(sent, "bounce"))
    suppression.lift(Suppression.objects.get())
    later(minutes=5)
    second = reserve("payment_received:in_2")
    work()
    second.refresh_from_db()
    post(client, about(second, "bounce"))
    assert Suppression.objects.active().get().mail == second


def test_a_new_address_of_the_customer_is_mailed_and_what_bounced_can_be_sent_there(
    client, sent, customer, reserve, work, mailoutbox
):
    from notifications import outbox

    post(client, about(sent, "bounce"))
    customer.email = "alice@new.example"
    customer.save()
    sent.refresh_from_db()
    assert outbox.send_again(sent) == ""
    reserve("payment_received:in_2", recipient="alice@new.example")
    mailoutbox.clear()
    assert work() == [Status.SENT, Status.SENT]
    assert [message.to for message in mailoutbox] == [["alice@new.example"]] * 2


@pytest.mark.parametrize(("shape", "ends"), [("blocked", Status.BOUNCED), ("deferred", Status.SENT)])
def test_what_may_pass_keeps_no_address_from_the_next_mail(client, sent, shape, ends):
    post(client, about(sent, shape))
    assert state(sent) == ends
    assert not Suppression.objects.exists()


def test_what_the_provider_drops_is_not_given_to_it_again(client, sent):
    post(client, about(sent, "dropped"))
    assert (state(sent), Suppression.objects.get().reason) == (Status.BOUNCED, "rejected")


def test_what_became_of_an_earlier_sending_is_not_said_of_the_later(client, sent, work):
    from notifications import outbox

    early = about(sent, "bounce")
    outbox.send_again(sent)
    assert work() == [Status.SENT]
    post(client, early)
    assert state(sent) == Status.SENT


def test_a_provider_without_metadata_names_the_mail_by_its_own_id(client, sent):
    Mail.objects.update(provider_id="mid-1")
    event = about(sent, "delivered", anymail_id="mid-1")
    del event["mail"], event["message"]
    post(client, event)
    assert state(sent) == Status.DELIVERED


def test_another_provider_reports_at_its_own_address(client, sent):
    bounce = {
        "RecordType": "Bounce",
        "ID": 901542550,
        "Type": "HardBounce",
        "TypeCode": 1,
        "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": "alice@example.com",
        "BouncedAt": timezone.now().isoformat(),
        "Metadata": {"mail": sent.key, "message": sent.message_id},
    }
    headers = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}
    answer = client.post("/anymail/postmark/tracking/", bounce, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    assert (state(sent), Suppression.objects.get().reason) == (Status.BOUNCED, "bounced")


def test_a_report_about_nobody_is_heard_and_changes_nothing(client, sent):
    event = about(sent, "bounce", mail="another", message="<another@example.com>")
    assert post(client, event).status_code == 200
    assert state(sent) == Status.SENT


@pytest.mark.parametrize(
    ("secret", "configured", "code"),
    [
        ("", SECRET, "bad_credentials"),
        ("sendgrid:wrong", SECRET, "bad_credentials"),
        (SECRET, "", "no_webhook_secret"),
        ("", None, "no_webhook_secret"),
    ],
)
def test_nobody_else_reports(client, settings, sent, secret, configured, code):
    settings.ANYMAIL = {"WEBHOOK_SECRET": configured}
    answer = post(client, about(sent, "bounce"), secret=secret)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert state(sent) == Status.SENT


@pytest.mark.parametrize("body", ["", "[", "{}", "[1]", '[{"no": "event"}]', '{"event": "bounce"}', "null"])
def test_what_are_no_events_is_told_so(client, body):
    answer = post(client, body=body)
    assert (answer.status_code, answer.get("Content-Type")) in {
        (400, "application/json"),
        (200, "text/html; charset=utf-8"),
    }


@pytest.mark.parametrize("body", ["[" * 900 + "]" * 900, "[" * 100_000, '[{"event": "bounce", "timestamp": 1e400}]'])
def test_what_no_reader_can_bear_is_refused_and_no_server_error(client, body):
    client.raise_request_exception = False
    answer = post(client, body=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_tracking_events")


def addresses():
    return [str(found.pattern).replace("^", "").replace("$", "") for found in urls.urlpatterns]


@pytest.mark.parametrize("address", addresses())
@pytest.mark.parametrize("secret", ["", SECRET])
def test_a_provider_that_is_not_in_use_has_no_door(client, settings, address, secret):
    """Neither with our secret nor without it, whatever anymail lacks of that provider's settings."""
    settings.NOTIFICATIONS_TRACKING = ["sendgrid"]
    if address.startswith("sendgrid/"):
        return
    client.raise_request_exception = False
    headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    for ask in (client.get, client.post, client.head):
        assert ask(f"/anymail/{address}", headers=headers).status_code == 404


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("address", addresses())
def test_the_secret_is_asked_for_before_anything_else(client, settings, address):
    settings.NOTIFICATIONS_TRACKING = [address.split("/")[0]]
    client.raise_request_exception = False
    for ask in (client.get, client.post, client.head):
        assert ask(f"/anymail/{address}").status_code == 403
    headers = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}
    assert client.post(f"/anymail/{address}", headers=headers).status_code < 500


@pytest.mark.parametrize(
    ("backend", "provider"),
    [
        ("anymail.backends.sendgrid.EmailBackend", ("sendgrid",)),
        ("anymail.backends.mailgun.EmailBackend", ("mailgun",)),
        ("notifications.tests.test_tracking.OurBackend", ("postmark",)),
        ("django.core.mail.backends.smtp.EmailBackend", ()),
    ],
)
def test_whose_reports_are_heard_follows_from_how_mail_leaves(settings, backend, provider):
    settings.NOTIFICATIONS_TRACKING = []
    send_by(settings, backend)
    assert conf.tracking == provider


class OurBackend(PostmarkBackend):
    """A project's own, made from one of anymail's."""


# Staff


def lift(client, reason):
    data = {"action": "mail_again", "_selected_action": ["alice@example.com"], "reason": reason}
    return client.post("/admin/billing_mail/suppression/", data, follow=True).content.decode()


def test_staff_lift_it_with_the_permission_and_a_reason(client, sent, customer, sign_in):
    post(client, about(sent, "bounce"))
    sign_in("view_suppression")
    assert "500 unknown recipient" in client.get("/admin/billing_mail/suppression/").content.decode()
    lift(client, "She says the mailbox works again")
    assert Suppression.objects.active().exists()
    sign_in("view_suppression", "lift_suppression")
    assert "Enter a reason" in lift(client, " ")
    assert Suppression.objects.active().exists()
    assert "Addresses that can be mailed again: 1." in lift(client, "She says the mailbox works again")
    assert not Suppression.objects.active().exists()
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (customer.pk, "Mailed again: She says the mailbox works again")
