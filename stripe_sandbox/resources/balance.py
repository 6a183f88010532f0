"""The account's balance sums its balance transactions, by currency and by whether they are available yet."""

from collections import Counter
from typing import Any

from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State


@api.add("GET", "/v1/balance", "BalanceRetrieveParams")
def retrieve(state: State, params: Params) -> Object:
    rows = list(state.table("balance_transaction").rows.values())
    available = [row for row in rows if row["available_on"] <= state.now()]
    pending = [row for row in rows if row["available_on"] > state.now()]
    return {
        "object": "balance",
        "available": _sums(available),
        "livemode": False,
        "pending": _sums(pending),
        "refund_and_dispute_prefunding": {"available": [], "pending": []},
    }


def _sums(rows: list[Object]) -> list[dict[str, Any]]:
    net: Counter[str] = Counter({"usd": 0})
    for row in rows:
        net[row["currency"]] += row["net"]
    return [{"amount": net[code], "currency": code, "source_types": {"card": net[code]}} for code in sorted(net)]
