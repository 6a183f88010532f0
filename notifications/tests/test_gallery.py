"""Staff looks at every mail in every language, and sends a sample to nobody but themselves."""

import pytest
from django.conf import settings
from django.core.mail.backends.locmem import EmailBackend

from billing.models import Plan
from notifications.models import Mail
from notifications.samples import SAMPLES

PAGE = "/admin/billing_mail/preview/"
pytestmark = pytest.mark.django_db


def query(sample="payment_received", language="en", plan=""):
    return {"sample": sample, "language": language, "plan": plan}


def test_every_kind_has_a_sample():
    assert {kind for kind, _ in SAMPLES.values()} == set(Mail.Kind)


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_every_sample_is_shown_in_every_language(client, sign_in, language):
    sign_in("view_preview")
    for sample in SAMPLES:
        shown = client.get(PAGE, query(sample, language)).context["rendered"]
        assert f'lang="{language}"' in shown.html, sample
    assert not Mail.objects.exists()


def test_the_admin_leads_to_it_and_it_shows_text_and_html_under_a_strict_policy(client, sign_in):
    sign_in("view_preview")
    assert PAGE in client.get("/admin/").content.decode()
    page = client.get(PAGE)
    content = page.content.decode()
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "<iframe" in content
    assert "style=" not in content.partition('<div class="gallery">')[2]
    html = client.get(PAGE + "html/", query())
    assert "default-src 'none'" in html["Content-Security-Policy"]
    assert html["Content-Security-Policy"].endswith("sandbox")
    assert html["X-Frame-Options"] == "SAMEORIGIN"


def test_a_mail_is_shown_as_the_chosen_plans_subscribers_get_it(client, sign_in):
    sign_in("view_preview")
    Plan.objects.create(slug="atelier", name="Atelier <&> Co", rank=7)
    page = client.get(PAGE, query(plan="atelier")).content.decode()
    assert "Atelier &lt;&amp;&gt; Co" in page
    assert "Atelier <&>" not in page


def test_staff_sends_one_to_themselves(client, sign_in, mailoutbox):
    sign_in("view_preview", "send_preview")
    answer = client.post(PAGE + "send/", query(language="en"), follow=True)
    assert "Sent to staff@example.com." in answer.content.decode()
    [message] = mailoutbox
    assert (message.to, message.subject) == (["staff@example.com"], "[Sample] Payment received: $19.00")
    assert not Mail.objects.exists()


def test_a_provider_that_is_away_is_told_in_a_sentence(client, sign_in, monkeypatch):
    def away(self, messages):
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(EmailBackend, "send_messages", away)
    sign_in("view_preview", "send_preview")
    answer = client.post(PAGE + "send/", query(), follow=True)
    assert "Not sent: ConnectionRefusedError: refused" in answer.content.decode()


def test_without_the_permissions_nothing_is_seen_or_sent(client, sign_in, mailoutbox):
    sign_in()
    assert [client.get(PAGE + name).status_code for name in ("", "html/")] == [403, 403]
    sign_in("view_preview")
    assert "Send it to" not in client.get(PAGE).content.decode()
    assert client.post(PAGE + "send/", query()).status_code == 403
    assert client.get(PAGE + "send/").status_code == 405
    assert mailoutbox == []


def test_what_is_not_in_the_gallery_is_said(client, sign_in):
    sign_in("view_preview")
    for odd in (query(sample="nothing"), query(language="xx"), query(plan="nothing")):
        assert "Select a valid choice" in client.get(PAGE, odd).content.decode()
        assert client.get(PAGE + "html/", odd).status_code == 404
