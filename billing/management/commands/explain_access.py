"""`manage.py explain_access EMAIL [--at TIME]` explains why somebody has access or not, now or at a past time."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from billing import access
from billing.management.terminal import TerminalCommand
from billing.models import Customer, email_field, listed_subscribers

WRONG_USE = 2


class Command(TerminalCommand):
    help = "Explain why a subscriber has access or not. Changes nothing, and does not call Stripe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "email", metavar="EMAIL", help="e-mail address of the subscriber, or of the customer at Stripe"
        )
        parser.add_argument(
            "--at", metavar="TIME", help="a time such as 2026-11-23 or 2026-11-23T14:30, in UTC unless it has an offset"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip()
        if "@" not in email or "\0" in email:
            raise CommandError(f"{email!r} is not an e-mail address.", returncode=WRONG_USE)
        at = _moment(options["at"])
        try:
            found = _explanations(email, at)
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}") from error
        if not found:
            raise CommandError(f"No subscriber or customer has the address {email}.")
        self.stdout.write("\n\n".join(map(str, found)))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"--at {text!r} is not a time. Write 2026-11-23 or 2026-11-23T14:30.", returncode=WRONG_USE)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _explanations(email: str, at: datetime | None) -> list[access.Explanation]:
    """Return an explanation for each customer who has this address, or whose subscriber has it; if there is none, one
    for the subscriber alone."""
    field = email_field()
    is_theirs = Q(email__iexact=email)
    if field:
        is_theirs |= Q(**{f"subscriber__{field}__iexact": email})
    customers = Customer.objects.filter(is_theirs).order_by("created_at")
    if customers:
        return [access.explain_customer(customer, at) for customer in customers]
    subscribers = listed_subscribers().filter(**{f"{field}__iexact": email}) if field else []
    return [access.explain(subscriber, at) for subscriber in subscribers]
