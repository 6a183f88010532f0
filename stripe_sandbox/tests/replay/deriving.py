"""Brings raw recordings of Stripe's API into this test's own form: `python -m …replay.deriving RAW`.

RAW is a JSON list of requests: story, at (an HTTP date), version, method, path, form, status, answer. Ids are replaced
by short ones, people by others, addresses of pages by `https://…`, certificates by `…`; nothing else is changed. What
a story takes for granted (prices, customers, cards) is put in front of it as requests that make it as it is shown.
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from .stories import DATA

Json = dict[str, Any]
ID = re.compile(
    r"(?<![A-Za-z0-9])(acct|bpc|bps|ca|ch|cs_test|cus|ii|il|in|inpay|payatt|pi|pm|pmc|price|prod|re|req|seti|si|sub|txn)_([0-9A-Za-z]{12,})"
)
SECRET = re.compile(r"_secret_[0-9A-Za-z]+")
TEST_CARD = re.compile(r"pm_card_\w+")
UNIT = re.compile(r"(?:Free trial for )?\d+ (?:(?P<unit>.+) )?× (?P<name>.+?)(?: \(at .*)?")
PERSON = re.compile(r"\b([ABC])([ +])User\b")
PEOPLE = {"A": "Ada", "B": "Bo", "C": "Cy"}


class Names:
    """Short ids in the order in which they are met; the same id is always the same name."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def short(self, match: re.Match[str]) -> str:
        whole = match.group(0)
        longer = next((name for known, name in self.known.items() if known.startswith(whole)), None)
        return longer or self.known.setdefault(whole, f"{match.group(1)}_{len(self.known) + 1:03d}")

    def clean(self, text: str) -> str:
        text = SECRET.sub("_secret", ID.sub(self.short, text))
        return PERSON.sub(lambda found: f"{PEOPLE[found[1]]}{found[2]}Walker", text)


def derive(raw: list[Json]) -> list[Json]:
    names = Names()
    return [_story(names, list(steps)) for _, steps in groupby(raw, key=lambda step: step["story"])]


def _story(names: Names, raw: list[Json]) -> Json:
    steps = [_step(names, step) for step in raw]
    for earlier, later in pairwise(steps):
        later[0] = max(earlier[0], later[0])
    return {"version": raw[0]["version"], "given": list(_given(steps)), "steps": steps}


def _step(names: Names, raw: Json) -> list[Any]:
    answer = _cleaned(names, raw["answer"])
    path, form = names.clean(raw["path"]), names.clean(raw["form"])
    return [_instant(raw), raw["method"], path, form, raw["status"], answer]


def _instant(raw: Json) -> int:
    """A date that the recorder froze says nothing: the answer's own newest instant does."""
    dated = int(parsedate_to_datetime(raw["at"]).timestamp())
    seen = max(_past(raw["answer"]), default=dated)
    return max(dated, seen)


def _past(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        if isinstance(value.get("created"), int):
            yield value["created"]
        for inner in value.values():
            yield from _past(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _past(inner)


def _cleaned(names: Names, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cleaned(names, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(names, inner) for inner in value]
    if not isinstance(value, str):
        return value
    if value.startswith("-----BEGIN"):
        return "…"
    if value.startswith("https://") and "/error-codes/" not in value:
        return "https://…"
    return names.clean(value)


def objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if isinstance(value.get("object"), str) and isinstance(value.get("id"), str):
            yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def _given(steps: list[list[Any]]) -> Iterator[list[Any]]:
    """Requests that make what the story found there: [at, method, path, form, the id that it has in the story]."""
    shown = {(row["object"], row["id"]): row for step in steps for row in objects(step[5])}
    prices = sorted((row for kind, row in _kinds(shown) if kind == "price"), key=lambda row: int(row["created"]))
    products = {row["product"]: row["created"] - 1 for row in reversed(prices)}
    made = [_product(identifier, at, shown) for identifier, at in products.items()]
    made += [_price(row) for row in prices]
    yield from sorted([*made, *_customers(steps)], key=lambda entry: int(entry[0]))


def _kinds(shown: dict[tuple[str, str], Json]) -> list[tuple[str, Json]]:
    return [(kind, row) for (kind, _), row in shown.items()]


def _product(identifier: str, at: int, shown: dict[tuple[str, str], Json]) -> list[Any]:
    """Its name and the label of its units stand in the lines of invoices."""
    lines = [row for kind, row in _kinds(shown) if kind == "line_item" and _product_of(row) == identifier]
    words = next((found for line in lines if (found := UNIT.fullmatch(line["description"] or ""))), None)
    product = {"name": words["name"] if words else "Plan"}
    if words and words["unit"]:
        product["unit_label"] = words["unit"]
    return [at, "POST", "/v1/products", urlencode(product), identifier]


def _price(row: Json) -> list[Any]:
    price = {name: row[name] for name in ("currency", "unit_amount", "nickname", "tax_behavior") if row[name]}
    recurring = {f"recurring[{name}]": row["recurring"][name] for name in ("interval", "interval_count")}
    form = urlencode({"product": row["product"], **price, **recurring})
    return [row["created"], "POST", "/v1/prices", form, row["id"]]


def _product_of(line: Json) -> str | None:
    details = (line["pricing"] or {}).get("price_details") or {}
    return details.get("product")


def _customers(steps: list[list[Any]]) -> Iterator[list[Any]]:
    known: set[str] = set()
    for at, method, path, form, _, answer in steps:
        owner = re.fullmatch(r"/v1/customers/(cus_\d+)", path)
        if method == "POST" and owner and owner[1] not in known and answer.get("object") == "customer":
            values = {name: answer[name] for name in ("email", "name", "description") if answer[name]}
            yield [answer["created"], "POST", "/v1/customers", urlencode(values), owner[1]]
            for card in set(re.findall(r"pm_\d+", form)) - known:
                attached = f"/v1/payment_methods/{_card(answer, steps)}/attach"
                yield [min(at, answer["created"] + 1), "POST", attached, f"customer={owner[1]}", card]
        known |= {row["id"] for row in objects(answer)}


def _card(customer: Json, steps: list[list[Any]]) -> str:
    """The test card that the rest of the story attaches; else a plain one."""
    named = (TEST_CARD.search(step[2]) for step in steps)
    return next((found.group() for found in named if found), "pm_card_visa")


def main(source: str) -> None:
    stories = derive(json.loads(Path(source).read_text()))
    dumped = (json.dumps(story, ensure_ascii=False, separators=(",", ":")) for story in stories)
    DATA.write_text("\n".join(dumped) + "\n")
    sys.stdout.write(f"{len(stories)} stories, {datetime.now(UTC):%Y-%m-%d}\n")


if __name__ == "__main__":
    main(sys.argv[1])
