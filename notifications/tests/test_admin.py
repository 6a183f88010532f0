"""Staff reads the outbox, sees each mail as it is, and may send one again with the permission for it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from notifications.models import Mail

LIST = "/admin/billing_mail/mail/"
pytestmark = pytest.mark.django_db


def page_of(mail):
    return reverse("admin:billing_mail_mail_change", args=(mail.pk,))


def preview_of(mail):
    return reverse("admin:billing_mail_mail_preview", args=(mail.pk,))


def send_again(client, *mails):
    data = {"action": "send_again", "_selected_action": [str(mail.pk) for mail in mails]}
    return client.post(LIST, data, follow=True)


@pytest.mark.parametrize(
    "query", ["", "?q=in_1", "?q=alice", "?q=cus_alice", "?status=queued", "?kind=payment_received"]
)
def test_the_list_finds_a_mail_by_what_staff_knows(client, sign_in, reserve, query):
    sign_in("view_mail")
    reserve()
    page = client.get(LIST + query)
    assert "payment_received:in_1" in page.content.decode()


def test_the_list_leaves_out_what_does_not_match(client, sign_in, reserve):
    sign_in("view_mail")
    reserve()
    assert "payment_received:in_1" not in client.get(LIST + "?status=failed").content.decode()


def test_the_lists_queries_do_not_grow_with_its_rows(client, sign_in, reserve, django_assert_max_num_queries):
    sign_in("view_mail")
    for number in range(20):
        reserve(f"payment_received:in_{number}")
    with django_assert_max_num_queries(9):
        client.get(LIST)


def test_a_mail_is_shown_with_its_words_and_facts(client, sign_in, reserve):
    sign_in("view_mail")
    page = client.get(page_of(reserve(plan="<b>Pro</b>"))).content.decode()
    assert "Payment received: $19.00" in page
    assert "alice@example.com" in page
    assert "&lt;b&gt;Pro&lt;/b&gt;" in page
    assert "<b>Pro</b>" not in page


def test_the_preview_is_the_mail_under_a_policy_that_lets_it_show_and_nothing_else(client, sign_in, reserve):
    sign_in("view_mail")
    preview = client.get(preview_of(reserve()))
    assert "Thank you for your payment" in preview.content.decode()
    policy = preview["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "sandbox" in policy
    assert preview["X-Frame-Options"] == "SAMEORIGIN"


def test_nothing_can_be_added_changed_or_deleted(admin_client, reserve):
    mail = reserve()
    assert admin_client.get(LIST + "add/").status_code == 403
    assert admin_client.post(page_of(mail), {"recipient": "eve@example.com"}).status_code == 403
    assert admin_client.post(f"{LIST}{mail.pk}/delete/", {"post": "yes"}).status_code == 403
    mail.refresh_from_db()
    assert mail.recipient == "alice@example.com"


def test_without_the_permission_to_view_nothing_is_seen(client, sign_in, reserve):
    sign_in()
    mail = reserve()
    assert [client.get(url).status_code for url in (LIST, page_of(mail), preview_of(mail))] == [403, 403, 403]


def test_a_stranger_is_asked_to_sign_in(client, reserve):
    assert client.get(preview_of(reserve())).status_code == 302


def test_staff_sends_a_mail_again_and_it_is_logged(client, sign_in, reserve, work, mailoutbox):
    staff = sign_in("view_mail", "resend_mail")
    mail = reserve()
    work()
    page = send_again(client, mail)
    assert "Queued again: payment_received:in_1" in page.content.decode()
    assert work() == [Mail.Status.SENT]
    assert len(mailoutbox) == 2
    entry = LogEntry.objects.get(object_id=str(mail.pk))
    assert (entry.user, entry.change_message) == (staff, "Asked to send again")


def test_without_the_permission_to_resend_nothing_is_sent(client, sign_in, reserve, work, mailoutbox):
    sign_in("view_mail")
    mail = reserve()
    work()
    send_again(client, mail)
    assert work() == []
    assert not LogEntry.objects.exists()
    assert len(mailoutbox) == 1


def test_what_cannot_be_sent_again_is_said_and_not_logged(client, sign_in, reserve):
    sign_in("view_mail", "resend_mail")
    page = send_again(client, reserve())
    assert "It is already on its way." in page.content.decode()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("status", Mail.Status.values)
def test_every_state_has_its_badge(client, sign_in, reserve, status):
    sign_in("view_mail")
    mail = reserve()
    Mail.objects.update(status=status, error="Something happened.")
    assert f">{status}</span>" in client.get(LIST).content.decode()
    assert "Something happened." in client.get(page_of(mail)).content.decode()
