"""Every parameter that the SDK's types name for a covered route makes a difference, is listed as one that does not, or
is refused.

`parameters.json` names the test that proves the difference, or null; `python -m stripe_sandbox.tests.parameters` writes
it anew. "Kept and shown, without effect" of docs/sandbox.md is the list.
"""

import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from stripe_sandbox.errors import ApiError
from stripe_sandbox.http.contract import fields_of, only_covered, params_class
from stripe_sandbox.http.routing import ALWAYS, PAGING, Route, api
from stripe_sandbox.resources.empty import LISTS

from .proving import FOLDER, RECORD

PAGE = FOLDER.parents[1] / "docs" / "sandbox.md"
# `test_api.py` turns pages and expands; a list that is empty is empty whatever is asked for.
EVERYWHERE = ALWAYS | PAGING
# A request with one of these is the same request.
SAYS_NOTHING = {
    "GET /v1/accounts created": "there are no connected accounts",
    "GET /v2/core/accounts applied_configurations": "there are no connected accounts",
    "GET /v2/core/accounts closed": "there are no connected accounts",
    "POST /v1/checkout/sessions/{session} shipping_options.shipping_rate_data.type": "there is one value",
    "POST /v1/shipping_rates type": "there is one value",
    "POST /v1/payment_methods alipay": "an empty object",
    "POST /v1/payment_methods giropay": "an empty object",
    **{
        f"POST /v1/{intent} mandate_data.customer_acceptance.offline": "an empty object"
        for kind in ("payment_intents", "setup_intents")
        for intent in (kind, f"{kind}/{{intent}}/confirm")
    },
}


def named(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def parameters(route: Route) -> Iterator[tuple[str, bool]]:
    """Yield each parameter of the route by its dotted name, and whether it is covered."""
    yield from _inside(params_class(route.params), route.covered, "")


def _inside(cls: type, covered: frozenset[str], prefix: str) -> Iterator[tuple[str, bool]]:
    for name, (hint, _) in fields_of(cls).items():
        dotted = prefix + name
        if dotted in covered or not any(entry.startswith(dotted + ".") for entry in covered):
            yield dotted, dotted in covered
        else:
            for inner in _dictionaries(hint):
                yield from _inside(inner, covered, dotted + ".")


def _dictionaries(hint: Any) -> Iterator[type]:
    if hasattr(hint, "__required_keys__"):
        yield hint
    for argument in typing.get_args(hint):
        yield from _dictionaries(argument)


def without_effect() -> set[str]:
    """Return the parameters of the page's table, as "POST /v1/customers tax_exempt"."""
    section = PAGE.read_text().split("### Kept and shown, without effect")[1].split("\n#")[0]
    found = set()
    for row in re.findall(r"^\| (.*?) \| (.*?) \|", section, re.MULTILINE):
        routes, names = (re.findall(r"`([^`]+)`", cell) for cell in row)
        found |= {f"{route} {name}" for route in routes for name in names}
    return found


ROUTES = [route for route in api.routes if route.pattern not in LISTS or route.method != "GET"]


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_covered_parameter_is_in_the_record(route: Route) -> None:
    covered = {name for name, is_covered in parameters(route) if is_covered}
    assert sorted({f"{named(route)} {name}" for name in covered - EVERYWHERE} - RECORD.keys()) == []


OWN = {f"{named(route)} {name}" for route in ROUTES for name in route.covered - EVERYWHERE}


def test_a_test_proves_that_each_parameter_makes_a_difference() -> None:
    unproven = {name for name in OWN if RECORD[name] is None}
    assert sorted(unproven - without_effect() - SAYS_NOTHING.keys()) == []
    assert sorted(SAYS_NOTHING.keys() - unproven) == []


def test_the_page_counts_them() -> None:
    refused = sum(not is_covered for route in ROUTES for _, is_covered in parameters(route))
    kept, nothing = len(without_effect()), len(SAYS_NOTHING)
    told = f"| {len(ROUTES)} | {len(OWN) - kept - nothing} | {kept} | {nothing} | {refused} |"
    assert told in PAGE.read_text(), told


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_parameter_that_is_not_covered_is_refused_by_its_name(route: Route) -> None:
    for dotted in (name for name, is_covered in parameters(route) if not is_covered):
        value: Any = "something"
        for part in reversed(dotted.split(".")):
            value = {part: value}
        with pytest.raises(ApiError) as refused:
            only_covered(value, route.covered, "")
        assert refused.value.details == {"param": dotted, "code": "sandbox_not_covered"}


def test_the_covered_names_are_parameters_of_the_sdk() -> None:
    """A name that the SDK dropped would be covered for nobody."""
    for route in (route for route in ROUTES if route.pattern.startswith("/v1/")):
        known = {name for name, _ in parameters(route)}
        assert route.covered - ALWAYS - route.tolerated <= known, named(route)


def test_the_record_names_parameters_that_are_covered() -> None:
    covered = {f"{named(route)} {name}" for route in api.routes for name in route.covered}
    assert sorted(RECORD.keys() - covered) == []


def test_the_record_names_tests_that_exist() -> None:
    sources: dict[str, str] = {}
    for test in filter(None, RECORD.values()):
        file, _, name = test.partition("[")[0].partition("::")
        source = sources.setdefault(file, (FOLDER / file).read_text())
        assert f"def {name}(" in source, test


def test_the_list_of_what_has_no_effect_names_parameters_that_are_covered() -> None:
    covered = {f"{named(route)} {name}" for route in api.routes for name in route.covered}
    assert without_effect()
    assert sorted(without_effect() - covered) == []
