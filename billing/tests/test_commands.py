"""A hint names the command that works, where another app has one of the same name."""

import pytest
from django.core.management import get_commands

from billing import commands
from billing.access import words
from billing.access.rules import Access
from billing.catalogue.prices import UnmappedPrice
from billing.models import Alert, Subscription
from billing.monitoring import alerts
from billing.setup.checks import project
from billing.setup.doctor import findings
from billing.sync import for_people


@pytest.fixture
def taken(monkeypatch):
    """An app has our command `setup`, and another one of a name that begins with it."""
    monkeypatch.setattr(commands, "get_commands", lambda: {**get_commands(), "setup": "shop", "setup_shop": "shop"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Run `manage.py setup`, then go on.", "Run `manage.py billing setup`, then go on."),
        ("manage.py setup_stripe and manage.py setup", "manage.py setup_stripe and manage.py billing setup"),
        ("manage.py billing setup", "manage.py billing setup"),
        ("The setup is done.", "The setup is done."),
    ],
)
def test_a_taken_name_is_spelled_in_full_and_no_other(taken, text, said):
    assert commands.spelled(text) == said


def test_where_nothing_is_taken_a_text_stays_as_it_is():
    assert commands.spelled("Run `manage.py setup`.") == "Run `manage.py setup`."


def test_where_billings_own_command_is_taken_too_nothing_is_said_that_would_not_work(monkeypatch):
    monkeypatch.setattr(commands, "get_commands", lambda: {**get_commands(), "setup": "shop", "billing": "shop"})
    assert commands.spelled("Run `manage.py setup`.") == "Run `manage.py setup`."


def test_checks_and_the_doctor_say_what_works(taken, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    [found] = project.check_cache()
    assert "`manage.py billing setup`" in found.hint
    assert findings.error("plans", "They differ.", "Run `manage.py setup`.").todo == "Run `manage.py billing setup`."


@pytest.mark.django_db(transaction=True)
def test_an_alert_says_what_works(taken):
    alerts.alert_staff("cause", "Subject", "Run manage.py setup.")
    assert Alert.objects.get().text == "Run manage.py billing setup."


def test_a_price_of_no_plan_says_what_works(monkeypatch):
    monkeypatch.setattr(commands, "get_commands", lambda: {**get_commands(), "import_customers": "shop"})
    assert "`manage.py billing import_customers --price" in str(UnmappedPrice({"id": "price_1"}))
    assert "`manage.py billing import_customers --price`" in words.sentence_of(Access(False, "unmapped_price"))


@pytest.mark.django_db
def test_the_report_of_a_sync_says_what_works(world, monkeypatch):
    monkeypatch.setattr(commands, "get_commands", lambda: {**get_commands(), "import_customers": "shop"})
    ada, _ = world.subscribed(), world.subscribed(email="ben@example.com")
    unknown = Subscription.Whose.UNKNOWN
    Subscription.objects.filter(customer=ada.customer).update(unmapped_price="price_1", whose=unknown)
    [sentence] = for_people.sentences()
    assert "`manage.py billing import_customers --price price_1" in sentence
