"""Links lead to a file that is there, and to a heading that it has; every page can be found."""

import pytest

from .pages import PAGES, ROOT, Page

EXTERNAL = ("https://", "http://")


def led_to(page, link):
    """The file and the heading; a link of only a heading leads to the page itself."""
    path, _, anchor = link.partition("#")
    return (page.path.parent / path).resolve() if path else page.path, anchor


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page):
    for link in page.links:
        if link.startswith(EXTERNAL):
            continue
        path, anchor = led_to(page, link)
        assert path.exists(), link
        assert path.is_relative_to(ROOT), link
        assert not anchor or anchor in Page(path).anchors, link


def test_every_page_or_its_folder_is_led_to_by_another():
    linked = {led_to(page, link)[0] for page in PAGES for link in page.links if not link.startswith(EXTERNAL)}
    lonely = [page for page in PAGES if not {page.path, page.path.parent} & linked]
    assert [str(page) for page in lonely if page.path.name != "README.md"] == []
