"""Every mail in every variant: complete, escaped where it must be, readable everywhere."""

import re
from email import message_from_bytes
from email.policy import default
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.urls import clear_script_prefix, set_script_prefix
from django.utils.translation import templatize

from billing.lifecycle import invoice_links
from billing.money import format_amount
from notifications import rendering
from notifications.models import Mail
from notifications.samples import RIGHT_TO_LEFT, SAMPLES

LINK = re.compile(r'href="([^"]*)"')
UNFILLED = re.compile(r"%\(\w+\)[sd]")
FORGOTTEN = re.compile(r"None|\{\{|\{%|&amp;amp;|  on |\(\)")


def render(name, language=""):
    kind, context = SAMPLES[name]
    return rendering.render(Mail(kind=kind, context=context), language)


def words(text):
    return " ".join(text.split())


every_sample = pytest.mark.parametrize("name", SAMPLES)
LANGUAGES = [code for code, _ in settings.LANGUAGES]
in_every_language = pytest.mark.parametrize("language", LANGUAGES)
TAG = re.compile(r"<style.*?</style>|<title.*?</title>|<div class=\"preheader.*?</div>|<[^>]*>", re.DOTALL)


@every_sample
def test_a_mail_is_complete(name, settings):
    settings.NOTIFICATIONS_PRODUCT_NAME = "Acme Cloud"
    mail = render(name)
    assert mail.subject
    assert "\n" not in mail.subject
    for body in (mail.text, mail.html):
        assert not FORGOTTEN.search(body)
        assert "Acme Cloud" in words(body)


@in_every_language
def test_every_mail_is_complete_in_every_language(language):
    for name, (_, context) in SAMPLES.items():
        mail = render(name, language)
        assert f'<html lang="{language}"' in mail.html, name
        for body in (mail.subject, mail.text, mail.html):
            assert body, name
            assert not FORGOTTEN.search(body), name
            assert not UNFILLED.search(body), name
        if "amount" in context:
            amount = words(format_amount(context["amount"], context["currency"], language))
            assert amount in mail.subject, name
            assert amount in words(mail.text), name


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_no_mail_is_left_in_english(language):
    for name in SAMPLES:
        theirs, english = set(render(name, language).text.split("\n\n")), set(render(name, "en").text.split("\n\n"))
        assert not theirs & english, name


@every_sample
def test_the_text_says_what_the_html_says(name):
    mail = render(name)
    said = words(mail.text.replace("\u2068", "").replace("\u2069", ""))
    for paragraph in re.findall(r"<p [^>]*>(.*?)</p>", mail.html, re.DOTALL):
        sentence = words(unescape(TAG.sub("", paragraph)))
        assert sentence in said or sentence.startswith("For your records")


@every_sample
def test_lines_of_the_text_are_short_but_for_addresses(name):
    assert all(len(line) <= 76 for line in render(name).text.split("\n") if " " in line and "=" not in line)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_translated(language):
    folder = Path(rendering.__file__).parent / "locale" / language / "LC_MESSAGES"
    if language == "en":
        assert not folder.exists()
        return
    with (folder / "django.po").open("rb") as po, (folder / "django.mo").open("rb") as mo:
        catalogue, compiled = read_po(po, locale=language), read_mo(mo)
    assert not [message.id for message in catalogue if message.id and (message.fuzzy or not all(strings(message)))]
    assert {key(m): strings(m) for m in catalogue if m.id} == {key(m): strings(m) for m in compiled if m.id}


def strings(message):
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string,)


def key(message):
    return message.id[0] if isinstance(message.id, tuple | list) else message.id


@in_every_language
def test_every_word_of_the_mails_is_in_the_catalogues(language):
    if language == "en":
        return
    words_of = Path(rendering.__file__).parent / "templates" / "billing_mail"
    with (Path(rendering.__file__).parent / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as po:
        known = {key(message) for message in read_po(po, locale=language)}
    for template in words_of.rglob("*"):
        if template.is_file():
            source = BytesIO(templatize(template.read_text()).encode())
            found = extract("python", source, keywords={"gettext": None, "ngettext": (1, 2)})
            missing = {message if isinstance(message, str) else message[0] for _, message, *_ in found} - known
            assert not missing, template.name


def test_a_plan_has_its_own_words_where_the_project_gives_them(settings, tmp_path):
    (tmp_path / "billing_mail").mkdir()
    (tmp_path / "billing_mail" / "welcome.team.subject.txt").write_text("Welcome, team")
    (tmp_path / "billing_mail" / "welcome.subject.txt").write_text("Welcome, all")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    kind, context = SAMPLES["welcome"]
    subjects = [
        rendering.render(Mail(kind=kind, context={**context, "plan_slug": slug})).subject for slug in ("team", "x")
    ]
    assert subjects == ["Welcome, team", "Welcome, all"]


def test_a_name_from_right_to_left_does_not_turn_what_is_beside_it():
    mail = render("welcome_from_right_to_left")
    assert f"<bdi>{RIGHT_TO_LEFT}</bdi>" in mail.html
    assert f"\u2068{RIGHT_TO_LEFT}\u2069" in words(mail.text)


@every_sample
def test_every_link_is_absolute_and_in_the_text_as_well(name, settings):
    settings.SITE_URL = "https://acme.example"
    mail = render(name)
    links = [link.replace("&amp;", "&") for link in LINK.findall(mail.html)]
    assert links
    for link in links:
        assert link.startswith("https://acme.example/")
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
    assert "& <Friends>" in words(mail.text)


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
    assert invoice_links.page_of("in_1") in text
    assert invoice_links.pdf_of("in_1") in text


def test_a_receipt_without_a_period_has_no_line_for_it():
    assert "Period" not in render("payment_received_in_yen_without_period").html


def test_a_failure_tells_the_next_try():
    assert "We'll try again on December 4, 2026" in words(render("payment_failed").text)


def test_the_last_try_is_called_so_and_access_is_on_hold():
    mail = render("payment_failed_last_try")
    assert mail.subject.startswith("Final attempt")
    assert "We won't try again" in words(mail.text)
    assert "paused since December 4, 2026" in words(mail.text)


def test_a_failure_without_invoice_page_leads_to_the_account(settings):
    settings.SITE_URL = "https://acme.example"
    assert "Pay now:\nhttps://acme.example/billing/" in render("payment_failed_bare").text


@pytest.mark.parametrize(("name", "said"), [("refund_in_full", "in full"), ("refund_in_part", "part of")])
def test_a_refund_says_whether_it_is_all(name, said):
    assert said in words(render(name).text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cancellation_scheduled", "You keep full access to Pro until January 1, 2027."),
        ("cancellation_scheduled_on_hold", "Your subscription to Pro ends on January 1, 2027."),
        ("subscription_ended", "Your subscription to Pro ended on January 1, 2027. You"),
        ("subscription_ended_by_refund", "because your payment was refunded in full."),
        ("subscription_ended_by_dispute", "because a payment was disputed."),
        ("subscription_ended_unpaid", "because your payment didn't go through."),
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


def test_links_of_a_site_that_is_mounted_below_a_path_have_it_once(settings):
    settings.SITE_URL = "https://example.com/shop"
    for prefix in ("/", "/shop/"):
        set_script_prefix(prefix)
        try:
            html = render("payment_failed").html
        finally:
            clear_script_prefix()
        assert 'href="https://example.com/shop/billing/' in html
        assert "/shop/shop" not in html
