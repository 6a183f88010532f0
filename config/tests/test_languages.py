"""Pages and API speak the reader's language, and no text is left without a translation."""

import re

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from billing.models import CheckoutAttempt
from config import words

PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%d|\{\w+\}|<[^>]+>")
APPS = ["billing", "accounts"]
in_every_language = pytest.mark.parametrize("language", words.LANGUAGES)


def catalogue(app, language, ending="po"):
    with (words.ROOT / app / "locale" / language / "LC_MESSAGES" / f"django.{ending}").open("rb") as file:
        return read_po(file, locale=language) if ending == "po" else read_mo(file)


def several(value):
    return list(value) if isinstance(value, tuple | list) else [value]


def page(client, path, **headers):
    answer = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return answer, answer.content.decode()


# --- Nothing is left -------------------------------------------------------------------------------------------------


def test_every_marked_text_is_translated():
    assert list(words.untranslated()) == []


def test_every_text_for_subscribers_is_marked():
    assert list(words.unmarked()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('note("The form could not be loaded.");', ["The form could not be loaded."]),
        ("throw new Error(`Wait ${s} seconds. Then try again.`)", ["Wait ${s} seconds. Then try again."]),
        ('// "A comment says this. It is not read."', []),
        ('place.querySelector("[role=status]").textContent = place.dataset.sorry;', []),
    ],
)
def test_a_sentence_in_a_script_is_found(source, found):
    assert list(words.unmarked_in_script(source)) == found


@in_every_language
@pytest.mark.parametrize("app", APPS)
def test_what_is_compiled_is_what_is_translated(app, language):
    def texts(of):
        return {str(several(each.id)[0]): several(each.string) for each in of if each.id}

    assert texts(catalogue(app, language)) == texts(catalogue(app, language, "mo"))


@in_every_language
@pytest.mark.parametrize("app", APPS)
def test_a_translation_names_what_the_text_names(app, language):
    for message in catalogue(app, language):
        if message.id:
            named = set(PLACEHOLDERS.findall(several(message.id)[-1]))
            needed = named - ({"{count}"} if len(several(message.id)) > 1 else set())
            for string in several(message.string):
                assert needed <= set(PLACEHOLDERS.findall(string)) <= named, string


def test_the_command_lists_what_is_missing(monkeypatch, capsys):
    lacks = [words.Missing("billing", "de", "A new sentence.")]
    monkeypatch.setattr(words, "untranslated", lambda: iter(lacks))
    call_command("untranslated")
    assert "billing/de: 'A new sentence.'" in capsys.readouterr().out


@pytest.mark.parametrize("source", [
    "<p>Hello there</p>",
    "<p>{% if a %}Hello{% else %}{{ b }}{% endif %}</p>",
    '<a aria-label="Close it">×</a>',
    "<p>{% translate 'Done' %} and more</p>",
])  # fmt: skip
def test_a_text_that_nobody_marked_in_a_template_is_found(source):
    assert list(words.unmarked_in_template(source))


@pytest.mark.parametrize("source", [
    '<p class="lead">{% translate "Hello" %} {{ name }} – {{ amount }}</p>',
    "{% blocktranslate with a=b %}<b>{{ a }}</b> is here{% endblocktranslate %}",
    "{# A note of ours. #}<time>{{ now }} UTC</time>",
])  # fmt: skip
def test_a_marked_text_and_a_value_are_not_reported(source):
    assert not list(words.unmarked_in_template(source))


@pytest.mark.parametrize(("source", "is_found"), [
    ('raise Refused("This is not for sale.")', True),
    ('sentence = f"You keep {plan} until then."', True),
    ('sentence = _("You keep {plan} until then.").format(plan=plan)', False),
    ('"""A docstring says this."""', False),
    ('log.warning("It did not work.")', False),
    ('Field(help_text="The slug of a plan.")', False),
])  # fmt: skip
def test_a_sentence_that_nobody_marked_in_python_is_found(source, is_found):
    assert bool(list(words.unmarked_in_python(source))) is is_found


# --- The reader's language -------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("accepted", "language", "heading"), [
    ("de-AT,de;q=0.9", "de", "Einfache Preise"),
    ("fr", "fr", "Des tarifs simples"),
    ("it,fr;q=0.5", "fr", "Des tarifs simples"),
    ("it", "en", "Simple pricing"),
    ("", "en", "Simple pricing"),
])  # fmt: skip
def test_a_visitor_reads_the_language_of_the_browser(world, client, accepted, language, heading):
    answer, text = page(client, "/", Accept_Language=accepted)
    assert heading in text
    assert f'<html lang="{language}" dir="ltr">' in text
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]
    assert "private" in answer["Cache-Control"]


@pytest.mark.django_db
def test_who_has_chosen_a_language_reads_it_whatever_the_browser_says(world, client):
    ada, bob = world.subscribed(), world.subscribed(email="bob@example.com")
    User.objects.filter(pk=ada.user.pk).update(language="de")
    client.force_login(ada.user)
    assert "Nächste Zahlung" in page(client, "/billing/", Accept_Language="fr")[1]
    other = Client()
    other.force_login(bob.user)
    assert "Prochain paiement" in page(other, "/billing/", Accept_Language="fr")[1], "a bystander follows the browser"


@pytest.mark.django_db
def test_amounts_and_days_are_written_in_the_language(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    text = page(client, "/billing/", Accept_Language="de")[1].replace("\xa0", " ")
    assert "20,00 $ pro Monat" in text
    assert re.search(r"20,00 \$ am \d{1,2}\. \w+ 20\d\d", text)


@pytest.mark.django_db
def test_a_chosen_language_costs_no_query(world, client, django_assert_max_num_queries):
    ada = world.subscribed()
    client.force_login(ada.user)
    with django_assert_max_num_queries(100) as english:
        page(client, "/billing/")
    User.objects.filter(pk=ada.user.pk).update(language="de")
    with django_assert_max_num_queries(len(english)):
        page(client, "/billing/")


@pytest.mark.django_db
def test_choosing_a_language_is_answered_in_it(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    answer = client.post("/accounts/language/", {"language": "fr"}, follow=True)
    assert "Les pages et les e-mails sont dans la langue choisie" in answer.content.decode()


@pytest.mark.django_db
def test_an_error_of_the_api_keeps_its_code_and_translates_its_sentence(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    order = {"plan": "pro", "interval": "month"}
    german, english = (
        client.post("/api/v1/subscriptions/checkout", order, "application/json", headers={"Accept-Language": each})
        for each in ("de", "en")
    )
    assert german.json()["code"] == english.json()["code"] == "already_subscribed"
    assert "Sie haben bereits ein Abonnement" in german.json()["detail"]
    assert "You already have a subscription" in english.json()["detail"]


@pytest.mark.django_db
def test_an_unknown_address_of_the_api_is_refused_in_the_language(client):
    german = client.get("/api/v1/nowhere", headers={"Accept-Language": "de"})
    assert german.json() == {"code": "not_found", "detail": "Unter dieser Adresse gibt es keinen Endpunkt."}
    assert client.get("/api/v1/nowhere").json()["detail"] == "There is no endpoint at this address."


@pytest.mark.django_db
@pytest.mark.parametrize(("chosen", "accepted", "locale"), [
    ("de", "fr", "de"),
    ("en", "de", "en"),
    ("", "de", "de"),
])  # fmt: skip
def test_checkout_is_in_the_language_of_the_page(world, client, chosen, accepted, locale):
    eve = world.sign_up("eve@example.com")
    User.objects.filter(pk=eve.pk).update(language=chosen)
    client.force_login(eve)
    order = {"plan": "pro", "interval": "month", "currency": "usd"}
    client.post("/billing/checkout", order, headers={"Accept-Language": accepted})
    assert CheckoutAttempt.objects.get().locale == locale


@pytest.mark.django_db
def test_a_language_from_right_to_left_turns_the_page(world, client, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "Arabic")]
    text = page(client, "/", Accept_Language="ar")[1]
    assert '<html lang="ar" dir="rtl">' in text
    assert "Simple pricing" in text, "a language without words of ours keeps English ones"


def test_no_style_of_the_pages_names_left_or_right():
    for name in ("frame.css", "pages.css", "clock.css"):
        style = (words.ROOT / "billing/static/billing" / name).read_text()
        assert not re.search(r"\b(left|right)\b", style), name
