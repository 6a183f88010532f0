"""Every block of every page is executed, or the test that does it is named."""

import pytest

from .claims import CLAIMS, source_of, unclaimed
from .pages import PAGES
from .site import POSTGRESQL

pytestmark = pytest.mark.django_db(transaction=True)


RUN_HERE = [page for page in PAGES if unclaimed(page)]
ON_POSTGRESQL = [page for page in RUN_HERE if any(block.first_line.startswith(POSTGRESQL) for block in unclaimed(page))]


@pytest.mark.parametrize("page", RUN_HERE, ids=str)
def test_the_blocks_of_a_page_run_in_their_order(page, site):
    for block in unclaimed(page):
        site.follow(block)


@pytest.mark.postgres_only
@pytest.mark.parametrize("page", ON_POSTGRESQL, ids=str)
def test_the_blocks_of_a_page_about_postgresql_run_there(page, site):
    for block in unclaimed(page):
        site.follow(block)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_names_a_page_and_the_test_that_reads_it(claim):
    page, _, section = claim.partition("#")
    assert page.rpartition("/")[2] in source_of(claim)
    [claimed] = [found for found in PAGES if str(found) == page]
    assert claimed.blocks
    assert not section or section in {block.section for block in claimed.blocks}
