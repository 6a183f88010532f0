"""Every mail in every variant: complete, escaped where it must be, readable everywhere."""

import re
from email import message_from_bytes
from email.policy import default

import pytest

from billing.money import format_amount
from notifications import rendering
from notifications.models import Mail
from notifications.samples import INVOICE_URL, SAMPLES

LINK = re.compile(r'href="([^"]*)"')
FORGOTTEN = re.compile(r"None|\{\{|\{%|&amp;amp;|  on |\(\)")


def render(name):
    kind, context = SAMPLES[name]
    return rendering.render(Mail(kind=kind, context=context))


def words(text):
    return " ".join(text.split())


every_sample = pytest.mark.parametrize("name", SAMPLES)


@every_sample
def test_a_mail_is_complete(name, settings):
    settings.NOTIFICATIONS_PRODUCT_NAME = "Acme Cloud"
    mail = render(name)
    assert mail.subject
    assert "\n" not in mail.subject
    for body in (mail.text, mail.html):
        assert not FORGOTTEN.search(body)
        assert "Acme Cloud" in body


@every_sample
def test_every_link_is_absolute_and_in_the_text_as_well(name, settings):
    settings.SITE_URL = "https://acme.example"
    mail = render(name)
    links = [link.replace("&amp;", "&") for link in LINK.findall(mail.html)]
    assert links
    for link in links:
        assert link.startswith(("https://acme.example/", "https://invoice.stripe.com/", "https://pay.stripe.com/"))
        assert link in mail.text


@every_sample
def test_the_text_leaves_no_holes(name):
    assert "\n\n\n" not in render(name).text


@every_sample
def test_styles_sit_in_the_elements_and_media_queries_stay(name):
    html = render(name).html
    assert '<h1 class="font" style="' in html
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 480px" in html
    assert "<link" not in html


@pytest.mark.parametrize("name", [name for name, (_, context) in SAMPLES.items() if "amount" in context])
def test_subject_text_and_html_name_the_same_amount(name):
    _, context = SAMPLES[name]
    mail = render(name)
    amount = words(format_amount(context["amount"], context["currency"]))
    assert amount in mail.subject
    assert amount in words(mail.text)
    assert amount in words(mail.html)


def test_a_name_is_escaped_in_html_and_plain_in_text():
    mail = render("payment_received_in_dinar_with_a_long_name")
    assert "&lt;Friends&gt;" in mail.html
    assert "<Friends>" not in mail.html
    assert "& <Friends>" in mail.text


@pytest.mark.parametrize(
    ("name", "amount"),
    [
        ("payment_received", "$19.00"),
        ("payment_received_in_yen_without_period", "¥198,000"),
        ("payment_received_in_dinar_with_a_long_name", "KWD\u00a01,234,567.890"),
    ],
)
def test_amounts_follow_their_currency(name, amount):
    assert amount in render(name).text


def test_a_receipt_tells_period_and_invoice():
    text = render("payment_received").text
    assert "December 1, 2026 – January 1, 2027" in text
    assert INVOICE_URL in text


def test_a_receipt_without_a_period_has_no_line_for_it():
    assert "Period" not in render("payment_received_in_yen_without_period").html


def test_a_failure_tells_the_next_try():
    assert "We will try again on December 4, 2026" in render("payment_failed").text


def test_the_last_try_is_called_so_and_access_is_on_hold():
    mail = render("payment_failed_last_try")
    assert mail.subject.startswith("Last try")
    assert "This was the last try" in mail.text
    assert "on hold since December 4, 2026" in mail.text


def test_a_failure_without_invoice_page_leads_to_the_account(settings):
    settings.SITE_URL = "https://acme.example"
    assert "Pay now:\nhttps://acme.example/billing/" in render("payment_failed_bare").text


@pytest.mark.parametrize(("name", "said"), [("refund_in_full", "in full"), ("refund_in_part", "a part of")])
def test_a_refund_says_whether_it_is_all(name, said):
    assert said in words(render(name).text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cancellation_scheduled", "You keep full access to Pro until January 1, 2027."),
        ("subscription_ended", "Your access to Pro ended on January 1, 2027. You"),
        ("subscription_ended_by_refund", "because its payment was refunded in full."),
        ("subscription_ended_by_dispute", "because a payment was disputed."),
        ("subscription_ended_unpaid", "because its payment did not go through."),
    ],
)
def test_an_end_tells_until_when_and_why(name, said):
    assert said in words(render(name).text)


def test_the_whole_message_is_text_first_then_html_with_its_id():
    kind, context = SAMPLES["payment_received_in_yen_without_period"]
    mail = Mail(kind=kind, context=context, key="k", recipient="alice@example.com", message_id="<1@acme.example>")
    sent = message_from_bytes(rendering.compose(mail).message().as_bytes(), policy=default)
    assert [part.get_content_type() for part in sent.iter_parts()] == ["text/plain", "text/html"]
    assert sent["Message-ID"] == "<1@acme.example>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["Reply-To"] is None


def test_answers_go_to_support_where_it_has_an_address(settings):
    settings.NOTIFICATIONS_SUPPORT_EMAIL = "help@acme.example"
    kind, context = SAMPLES["payment_received"]
    mail = Mail(kind=kind, context=context, key="k", recipient="alice@example.com", message_id="<1@acme.example>")
    assert rendering.compose(mail).reply_to == ["help@acme.example"]


def test_amounts_and_dates_follow_the_language_of_the_site(settings):
    settings.LANGUAGE_CODE = "de"
    text = render("payment_received").text
    assert "19,00\u00a0$" in text
    assert "1. Dezember 2026" in text
