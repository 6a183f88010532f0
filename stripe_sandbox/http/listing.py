"""Lists have cursors both ways and filters on `created`, and show the newest first."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ..errors import ApiError, invalid, missing_resource
from ..store import Object, State, Table
from . import values
from .blanks import embedded_list
from .contract import Params

Keep = Callable[[Object], bool]
CLOCKS = "test_helpers.test_clock"
# Lists of these leave out what lives in a test clock's time, unless the clock or the customer is named.
APART = ("customer", "quote", "subscription")
OWNERS = ("credit_grant", "subscription", "invoice", "payment_intent", "charge", "customer", "product")
KNOWN = ("customer", "product", "subscription")
MOST = 100


def page(
    state: State,
    kind: str,
    url: str,
    params: Params,
    keep: Keep | None = None,
    same: str = "",
    ids: list[str] | None = None,
) -> Object:
    """Return one page of a list. `same` names the filters that compare a field with the parameter of that name; `ids`
    narrows, oldest first. A filter by a customer, product or
    subscription that never existed is refused (**reported**)."""
    for name in KNOWN:
        if isinstance(params.get(name), str):
            _was_there(state, name, params[name])
    compared = {name: params[name] for name in same.split() if name in params}
    table = state.table(kind)
    owner = next((name for name in OWNERS if isinstance(compared.get(name), str)), None)
    if owner:
        ids = table.ids_where(owner, compared[owner])
    sliced = _sliced(table.order if ids is None else ids, table, params, kind)
    rows = _created(sliced, params, not state.tables.get(CLOCKS))
    rows = (row for row in rows if all(row[name] == value for name, value in compared.items()))
    if kind in APART and state.tables.get(CLOCKS) and not params.keys() & {"customer", "test_clock"}:
        rows = (row for row in rows if row["test_clock"] is None)
    if keep:
        rows = filter(keep, rows)
    return cut(rows, params, url)


def _was_there(state: State, kind: str, identifier: str) -> None:
    """Refuse an id that nothing has, or had before it was deleted."""
    if not identifier:
        raise values.empty(kind)
    if identifier not in state.table(kind).position:
        raise missing_resource(kind, identifier, kind)


def cut(rows: Iterable[Object], params: Params, url: str) -> Object:
    """Return the page; a limit out of bounds is the nearest one within them."""
    limit = min(max(params.get("limit", 10), 1), MOST)
    found = list(islice(rows, limit + 1))
    data = found[:limit]
    if "ending_before" in params:
        data.reverse()
    return embedded_list(url, data, len(found) > limit)


def of_list(rows: list[Object], params: Params, url: str) -> Object:
    """Return a page of a short list that is already in the order it is shown in."""
    ids = [row["id"] for row in rows]
    kind = rows[0]["object"] if rows else "object"
    after, before = _cursors(params, lambda cursor: cursor in ids, kind)
    if after:
        rows = rows[ids.index(after) + 1 :]
    if before:
        rows = rows[: ids.index(before)][::-1]
    return cut(rows, params, url)


def _cursors(params: Params, is_there: Callable[[str], bool], kind: str) -> tuple[str | None, str | None]:
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and not is_there(after):
        raise missing_resource(kind, after, "starting_after")
    if after and before:
        raise _both()
    if before and not is_there(before):
        raise missing_resource(kind, before, "ending_before")
    return after, before


def _both() -> ApiError:
    return invalid("Received both starting_after and ending_before parameters. Please pass in only one.")


def _sliced(ids: list[str], table: Table, params: Params, kind: str) -> Iterator[Object]:
    """Return the page, newest first, or oldest first from `ending_before` on: `cut` turns that page round."""
    after, before = _cursors(params, lambda cursor: cursor in table.position, kind)
    if before:
        walk = range(table.until(before, ids), len(ids))
    else:
        walk = range((table.before(after, ids) if after else len(ids)) - 1, -1, -1)
    return (table.rows[ids[i]] for i in walk if ids[i] in table.rows)


def _created(rows: Iterator[Object], params: Params, is_ordered: bool) -> Iterator[Object]:
    """Return the objects within the range of `created`. Objects are made in the order of the clock, so the walk ends at
    the first one outside the range; not among test clocks, where each customer has a time of its own."""
    wanted = params.get("created")
    if wanted is None:
        return rows
    lowest, highest = _bounds(wanted)
    if not is_ordered:
        return (row for row in rows if lowest <= _made(row) <= highest)
    return _between(rows, lowest, highest, "ending_before" in params)


def _bounds(wanted: Any) -> tuple[float, float]:
    if isinstance(wanted, int):
        return wanted, wanted
    lowest = max(wanted.get("gte", 0), wanted.get("gt", -1) + 1)
    highest = min(wanted.get("lte", float("inf")), wanted.get("lt", float("inf")) - 1)
    return lowest, highest


def _made(row: Object) -> int:
    """Return when the object was made: an invoice item calls that its date."""
    return int(row["created"] if "created" in row else row["date"])


def _between(rows: Iterator[Object], lowest: float, highest: float, rising: bool) -> Iterator[Object]:
    for row in rows:
        created = _made(row)
        if lowest <= created <= highest:
            yield row
        elif (rising and created > highest) or (not rising and created < lowest):
            return


def skipped(params: Params) -> int:
    """Return how many rows a page of version 2 leaves out before it; clients send back what `next_page_url` says."""
    given = str(params.get("page") or 0)
    if not given.isdecimal() or len(given) > 9:
        raise invalid(f"Invalid page: {given}. Take it from `next_page_url`.", "page")
    return int(given)
