"""This module prints the story's table: a row for each step, as it happens."""

from typing import Any

from django.core.management.base import OutputWrapper

from billing.models import StripeEvent

WIDTHS = (26, 30, 5, 9, 20, 30)
HEADINGS = ("step", "Stripe events, deliveries", "plan", "status", "access", "mails")


class Table:
    def __init__(self, out: OutputWrapper) -> None:
        self.out = out
        self.events = self.deliveries = 0
        out.write("\nEvery event is delivered twice and out of order.\n\n" + _line(HEADINGS))
        out.write(_line(["─" * width for width in WIDTHS]))

    def row(self, title: str, events: list[StripeEvent], state: dict[str, Any], mails: list[str]) -> None:
        deliveries = sum(event.deliveries for event in events)
        self.events, self.deliveries = self.events + len(events), self.deliveries + deliveries
        access = f"{'yes' if state['has_access'] else 'no'}: {state['reason']}"
        cells = [title, _summary(events, deliveries), state["plan"], state["status"], access, ", ".join(mails) or "–"]
        self.out.write(_line(cells))
        self.out.flush()

    def close(self) -> None:
        self.out.write(f"\n{self.events} events in {self.deliveries} deliveries, each applied once.")


def _summary(events: list[StripeEvent], deliveries: int) -> str:
    if not events:
        return "–"
    ours = sum(event.status == StripeEvent.Status.PROCESSED for event in events)
    return f"{len(events)}, {deliveries} ({ours} for us)"


def _line(cells: Any) -> str:
    return "  ".join(str(cell).ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
