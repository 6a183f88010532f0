"""This module reads Stripe's search language: up to ten clauses of a field, an operator and a value, joined by AND or
by OR (https://docs.stripe.com/search#search-query-language)."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ApiError, invalid
from ..store import Object

TOKEN, STRING, NUMERIC = "token", "string", "numeric"
MOST = 10
SHORTEST = 3
CLAUSE = re.compile(
    r"""\s*(?P<negated>-?)(?P<field>[A-Za-z_][\w.]*)(?:\[(?P<quote>["'])(?P<key>.*?)(?P=quote)\])?"""
    r"""\s*(?P<operator>:|~|>=|<=|>|<|=)\s*"""
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>-?\d+(?:\.\d+)?|null)(?=\s|$))""",
    re.IGNORECASE | re.DOTALL,
)
JOINT = re.compile(r"\s+(?:(?P<word>AND|OR)\s+)?(?=\S)", re.IGNORECASE)
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq, "=": operator.eq, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
OPERATORS = {TOKEN: {":"}, STRING: {":", "~"}, NUMERIC: set(COMPARED)}
Matches = Callable[[Object], bool]


@dataclass(frozen=True)
class Searched:
    """A resource that is searched has a name in the path, and fields by name, with a type and the path to the value."""

    name: str
    fields: Mapping[str, tuple[str, str]]

    def field(self, name: str, key: str | None) -> tuple[str, list[str]]:
        if key is not None and name == "metadata":
            return TOKEN, ["metadata", key]
        if key is None and name in self.fields:
            kind, path = self.fields[name]
            return kind, path.split(".")
        page = f"http://stripe.com/docs/search#query-fields-for-{self.name.replace('_', '-')}"
        raise invalid(
            f"Field `{name}` is an unsupported search field for resource `{self.name}`. See {page} for a list of "
            "supported fields."
        )


def parse(query: str, searched: Searched) -> Matches:
    """Return what the query asks of an object."""
    clauses, words, at = [], set(), 0
    while True:
        found = CLAUSE.match(query, at)
        if found is None:
            raise _unreadable()
        clauses.append(_clause(found, searched))
        joint = JOINT.match(query, found.end())
        if joint is None:
            break
        words.add((joint["word"] or "AND").upper())
        at = joint.end()
    if query[found.end() :].strip():
        raise _unreadable()
    if len(words) > 1:
        raise invalid("You can't combine `AND` and `OR` in one search query.", "query")
    if len(clauses) > MOST:
        raise invalid(f"A search query may have at most {MOST} clauses.", "query")
    joined = any if "OR" in words else all
    return lambda row: joined(clause(row) for clause in clauses)


def _unreadable() -> ApiError:
    return invalid(
        'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for '
        'metadata or key:"value" to query for other fields.'
    )


def _clause(found: re.Match[str], searched: Searched) -> Matches:
    kind, path = searched.field(found["field"], found["key"])
    sign = found["operator"]
    if sign not in OPERATORS[kind]:
        raise invalid(
            f"The operator `{sign}` cannot be used with the field `{found['field']}`, a {kind} field.", "query"
        )
    test = _is_null if (found["bare"] or "").lower() == "null" else _test(found, kind)
    negated = bool(found["negated"])
    return lambda row: test(_value(row, path)) is not negated


def _test(found: re.Match[str], kind: str) -> Callable[[Any], bool]:
    sign, text = found["operator"], _text(found)
    if kind == NUMERIC:
        try:
            wanted, compare = float(text), COMPARED[sign]
        except ValueError:
            raise invalid(f"The field `{found['field']}` is compared with numbers only.", "query") from None
        return lambda value: value is not None and compare(value, wanted)
    folded = text.casefold()
    if sign == "~" and len(folded) < SHORTEST:
        raise invalid(f"Substring search needs at least {SHORTEST} characters.", "query")
    if sign == "~":
        return lambda value: value is not None and folded in _shown(value)
    return lambda value: value is not None and folded == _shown(value)


def _is_null(value: Any) -> bool:
    return value is None or value == ""


def _text(found: re.Match[str]) -> str:
    quoted = found["double"] if found["double"] is not None else found["single"]
    return str(found["bare"]) if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _shown(value: Any) -> str:
    return str(value).casefold()


def _value(row: Any, path: list[str]) -> Any:
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row
