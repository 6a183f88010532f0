"""dj-stripe alone, without this project, as a client of a sandbox: `python djstripe_client.py URL < events`.

Syncs every model that dj-stripe has by its own command, then hands the events of stdin, one a line as they were
delivered, to its `Event.process`, its own receivers connected. What came of it is printed as JSON.
"""

import io
import json
import sys
from importlib import import_module

import django
import stripe
from django.conf import settings
from django.core.management import call_command

APPS = ["django.contrib.contenttypes", "django.contrib.auth", "djstripe"]


def set_up(url):
    settings.configure(
        INSTALLED_APPS=APPS,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        MIGRATION_MODULES=dict.fromkeys(["contenttypes", "auth", "djstripe"]),
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        STRIPE_LIVE_MODE=False,
        STRIPE_TEST_SECRET_KEY="sk_test_" + "sandbox0" * 3,
        STRIPE_API_VERSION=stripe.api_version,
        STRIPE_API_HOST=url,
        DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    )
    django.setup()
    # Its client of the second API knows no other address than Stripe's own.
    import_module("stripe._stripe_client").DEFAULT_API_BASE = url
    call_command("migrate", run_syncdb=True, verbosity=0)


def sync():
    """Return what the command wrote to stderr, and the ids of its rows by Stripe's name of the object."""
    from django.apps import apps

    errors = io.StringIO()
    call_command("djstripe_sync_models", stdout=io.StringIO(), stderr=errors, no_color=True)
    rows = {}
    for model in apps.get_app_config("djstripe").get_models():
        if name := getattr(getattr(model, "stripe_class", None), "OBJECT_NAME", None):
            rows.setdefault(name, []).extend(row.id for row in model.objects.all())
    return errors.getvalue(), rows


def process(events):
    """Return how many of the events there are rows of, one of each when all were taken; one that is not taken
    raises."""
    from djstripe.models import Event

    Event.objects.all().delete()
    for event in events:
        Event.process(event, api_key=settings.STRIPE_TEST_SECRET_KEY)
    return Event.objects.count()


if __name__ == "__main__":
    set_up(sys.argv[1])
    errors, rows = sync()
    answer = {"errors": errors, "rows": rows, "processed": process([json.loads(line) for line in sys.stdin])}
    sys.stdout.write(json.dumps(answer) + "\n")
