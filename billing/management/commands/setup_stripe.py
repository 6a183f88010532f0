"""`manage.py setup_stripe`: the plans of this site as products and prices at Stripe. Run it once per Stripe account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from billing import publishing
from billing.conf import conf
from billing.models import Plan
from billing.stripe_client import StripeRefused, StripeUnavailable


class Command(BaseCommand):
    help = "Make the products and prices of the plans at Stripe where they are missing. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        if Plan._meta.db_table not in connection.introspection.table_names() or not Plan.objects.exists():
            raise CommandError("There are no plans yet: run `manage.py setup` first.")
        try:
            done = publishing.publish()
        except (StripeUnavailable, *StripeRefused) as error:
            raise CommandError(f"{error} (at {conf.api_base or 'Stripe'}). Run this again to go on.") from error
        self.stdout.write(f"Stripe: {done.products} products and {done.made} prices made, {done.found} prices found.")
