"""These checks find what a page lacks for people who use it by keyboard, by ear or with weak eyes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "accessibility.js").read_text()
MOST_STOPS = 80
FROM_THE_TOP = "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"
FOCUSED = r"""() => {
    const node = document.activeElement;
    if (!node || node === document.body) return null;
    const style = getComputedStyle(node);
    const words = node.getAttribute("aria-label") || node.labels?.[0]?.textContent || node.textContent || node.name;
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return {words: words.trim().replace(/\s+/g, " "), seen, place: [...document.querySelectorAll("*")].indexOf(node)};
}"""


def problems(page: "Page") -> list[str]:
    """One sentence each: labels, names, headings, ids, WCAG AA contrast, and no scrolling sideways."""
    found: list[str] = page.evaluate(SCRIPT)
    return found


def tab_stops(page: "Page") -> list[dict[str, Any]]:
    """Return where the Tab key leads from the top of the page: the `words` there, and whether the focus is `seen`."""
    page.evaluate(FROM_THE_TOP)
    stops: list[dict[str, Any]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or stop["place"] in [known["place"] for known in stops]:
            break
        stops.append(stop)
    return stops
