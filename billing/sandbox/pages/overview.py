"""What there is in the sandbox: objects, the latest events, deliveries and API calls."""

from itertools import islice

from ..api import Response
from ..store import State
from .rendering import moment, page

SHOWN = 40


def answer(state: State) -> Response:
    events = [
        {"type": row["type"], "id": row["id"], "at": moment(row["created"]), "waiting": row["pending_webhooks"]}
        for row in islice(state.table("event").newest_first(), SHOWN)
    ]
    deliveries = [{**row, "when": moment(row["at"])} for row in list(state.deliveries)[: -SHOWN - 1 : -1]]
    calls = [{"method": m, "path": p, "count": n} for (m, p), n in state.calls.most_common(SHOWN)]
    counts = [{"kind": kind, "count": len(table.rows)} for kind, table in sorted(state.tables.items())]
    return page(
        "overview.html", now=moment(state.now()), counts=counts, events=events, deliveries=deliveries, calls=calls
    )
