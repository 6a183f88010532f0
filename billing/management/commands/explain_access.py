"""`manage.py explain_access EMAIL [--at TIME]`: why somebody has access or not, now or at any past moment."""

from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.db.models import Model, Q
from django.utils.dateparse import parse_datetime

from billing import access
from billing.conf import conf
from billing.management.terminal import TerminalCommand
from billing.models import Customer, email_field

WRONG_USE = 2


class Command(TerminalCommand):
    help = "Tell in sentences why a subscriber has access or not. Changes nothing, and asks Stripe nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="The subscriber's address, or the one Stripe bills")
        parser.add_argument("--at", metavar="TIME", help="2026-11-23 or 2026-11-23T14:30; UTC unless it says otherwise")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip()
        if "@" not in email or "\0" in email:
            raise CommandError(f"{email!r} is no e-mail address.", returncode=WRONG_USE)
        at = _moment(options["at"])
        try:
            found = _explanations(email, at)
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}") from error
        if not found:
            raise CommandError(f"Nobody here has the address {email}.")
        self.stdout.write("\n\n".join(map(str, found)))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"--at {text!r} is no time: write 2026-11-23 or 2026-11-23T14:30.", returncode=WRONG_USE)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _explanations(email: str, at: datetime | None) -> list[access.Explanation]:
    """One for each customer with this address, or whose subscriber has it; else one for the subscriber alone."""
    field = email_field()
    is_theirs = Q(email__iexact=email)
    if field:
        is_theirs |= Q(**{f"subscriber__{field}__iexact": email})
    customers = Customer.objects.filter(is_theirs).order_by("created_at")
    if customers:
        return [access.explain_customer(customer, at) for customer in customers]
    model: type[Model] = apps.get_model(conf.subscriber_model)
    subscribers = model._default_manager.filter(**{f"{field}__iexact": email}) if field else []
    return [access.explain(subscriber, at) for subscriber in subscribers]
