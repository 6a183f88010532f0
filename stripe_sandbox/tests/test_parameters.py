"""Every parameter that the SDK's types name for a covered route is in the record of those acted on, or is refused.

`parameters.json` names the test that sends each of them, or null; `python -m stripe_sandbox.tests.parameters` writes it
anew. "Kept and shown, without effect" of docs/sandbox.md is the list.
"""

import json
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from stripe_sandbox.errors import ApiError
from stripe_sandbox.http.contract import fields_of, only_covered, params_class
from stripe_sandbox.http.routing import ALWAYS, PAGING, Route, api
from stripe_sandbox.resources.empty import LISTS

from .parameters import FILE, FOLDER

PAGE = FOLDER.parents[1] / "docs" / "sandbox.md"
RECORD: dict[str, str | None] = json.loads(FILE.read_text())
# `test_api.py` turns pages and expands; a list that is empty is empty whatever is asked for.
EVERYWHERE = ALWAYS | PAGING
WITHOUT_TEST = 0


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
    assert sorted({f"{named(route)} {name}" for name in covered} - RECORD.keys()) == []


def test_every_parameter_with_an_effect_is_sent_by_a_test() -> None:
    own = {f"{named(route)} {name}" for route in ROUTES for name in route.covered - EVERYWHERE}
    assert len([name for name in own - without_effect() if RECORD[name] is None]) == WITHOUT_TEST
    assert f"{WITHOUT_TEST} of {len(own)} covered parameters" in PAGE.read_text()


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
        file, _, name = test.partition("::")
        source = sources.setdefault(file, (FOLDER / file).read_text())
        assert f"def {name}(" in source, test


def test_the_list_of_what_has_no_effect_names_parameters_that_are_covered() -> None:
    covered = {f"{named(route)} {name}" for route in api.routes for name in route.covered}
    assert without_effect()
    assert sorted(without_effect() - covered) == []
