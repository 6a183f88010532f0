"""All rows are read, each once, and without a cursor on the server."""

import ast
from pathlib import Path

import pytest

import billing
from billing.models import Customer, in_pages

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("number", [0, 1, 4, 5, 9])
def test_every_row_comes_once_in_as_few_queries_as_the_size_allows(number, django_assert_max_num_queries):
    Customer.objects.bulk_create(Customer(pk=f"cus_{each}") for each in range(number))
    with django_assert_max_num_queries(number // 4 + 2):
        assert [row.pk for row in in_pages(Customer.objects.all(), 4)] == [f"cus_{each}" for each in range(number)]


def test_nothing_of_billing_reads_by_a_cursor_on_the_server():
    """PgBouncer in transaction mode loses it between two fetches."""
    folder = Path(billing.__file__).parent
    files = [file for file in folder.rglob("*.py") if "tests" not in file.parts]
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    names = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    assert len(names) > 100
    assert "iterator" not in names
