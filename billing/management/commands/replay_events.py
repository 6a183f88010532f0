"""`manage.py replay_events` processes stored events again. Records and mails are not duplicated."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.db.models import QuerySet

from billing.events import ledger
from billing.management.terminal import TerminalCommand
from billing.models import StripeEvent

from .sync_stripe import WRONG_USE, moment

PORTION = 500
Status = StripeEvent.Status


class Command(TerminalCommand):
    help = "Process stored events again, by id, status, type or date. E-mails are not sent twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", metavar="evt_…", help="ids of events")
        parser.add_argument("--failed", action="store_true", help="events that failed and will be tried again anyway")
        parser.add_argument("--dead", action="store_true", help="events that failed for the last time")
        parser.add_argument(
            "--type", dest="types", action="append", metavar="TYPE", help="events of this type; may be repeated"
        )
        parser.add_argument("--since", type=moment, metavar="DATE", help="events that Stripe created since then")
        parser.add_argument("--dry-run", action="store_true", help="say how many events match, and process none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chosen = list(self._chosen(options).order_by("created", "id").values_list("pk", flat=True))
            self._name_unknown(options["ids"])
            if options["dry_run"]:
                self.stdout.write(f"Dry run: {len(chosen):,} events would be processed again.")
                return
            portions = (chosen[start : start + PORTION] for start in range(0, len(chosen), PORTION))
            replayed = sum(ledger.replay(portion) for portion in portions)
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error}") from error
        left_out = len(chosen) - replayed
        rest = (
            f"; {left_out:,} are left out: pruned, of the other mode, or of a type that we do not use"
            if left_out
            else ""
        )
        self.stdout.write(f"{replayed:,} events will be processed again{rest}.")

    def _chosen(self, options: dict[str, Any]) -> QuerySet[StripeEvent]:
        """Return the events that match every option; at least one option is required. Events marked as handled must
        be named."""
        states = [state for name, state in (("failed", Status.FAILED), ("dead", Status.DEAD)) if options[name]]
        wishes = {
            "pk__in": options["ids"],
            "status__in": states,
            "type__in": options["types"],
            "created__gte": options["since"],
        }
        given = {name: wish for name, wish in wishes.items() if wish not in (None, [])}
        if not given:
            raise CommandError("Say which events: give ids, --failed, --dead, --type or --since.", returncode=WRONG_USE)
        events = StripeEvent.objects.filter(**given)
        return events if options["ids"] else events.filter(handled_at=None)

    def _name_unknown(self, ids: list[str]) -> None:
        unknown = set(ids) - set(StripeEvent.objects.filter(pk__in=ids).values_list("pk", flat=True))
        if unknown:
            raise CommandError(
                f"The ledger does not have {', '.join(sorted(unknown)[:10])}. `sync_stripe` fetches events."
            )
