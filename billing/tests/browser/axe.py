"""axe-core looks at a page by day, in the dark and on a phone; the page is loaded once, and only its look changes.

Where many pages come of the same few templates, as in the admin, each has one of the three looks in turn; all of them
with EVERY_LOOK set.

axe-core comes with the package axe-playwright-python of requirements-dev.txt; without it, tests skip and say so.
"""

import importlib.util
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

PACKAGE, SCRIPT = "axe_playwright_python", "axe.min.js"
# look → width, and whether it is dark; in the dark only colours differ from the light of the same width.
LOOKS = {"light": (1280, False), "dark": (1280, True), "phone": (390, False)}
COLOURS = ["color-contrast", "link-in-text-block"]
# The search of Django's own autocomplete is left out: what its script makes has no label inside, and none can be given.
# Style sheets are not fetched again (`preload`), which would write them inline, against the policy.
# Colours that fade from one look to the next are at their end before they are judged.
RUN = """async (rules) => {
    document.getAnimations().forEach(animation => animation.finish());
    const only = rules.length ? {runOnly: {type: "rule", values: rules}} : {};
    const what = {exclude: [".select2-container"]};
    const found = await axe.run(what, {...only, resultTypes: ["violations"], preload: false});
    return found.violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 200))]);
}"""


@cache
def script() -> str:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{PACKAGE}, which brings axe-core, is not installed: see requirements-dev.txt")
    return (Path(next(iter(found.submodule_search_locations))) / SCRIPT).read_text()


def violations(page: "Page", *rules: str) -> list[str]:
    """Return each violation of these rules, or of all that are not experimental, with the elements it is about."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(f"() => {{ {script()} }}")
    found: list[Any] = page.evaluate(RUN, list(rules))
    return [f"{rule}: {' '.join(elements[:4])}" for rule, elements in found]


def in_every_look(page: "Page", shoot: Any = None, name: str = "", looks: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Return the violations by look, of all looks by default; a look without any is left out. `shoot` keeps a picture
    of each."""
    found = {}
    for look in looks or LOOKS:
        width, is_dark = LOOKS[look]
        page.set_viewport_size({"width": width, "height": 860})
        page.emulate_media(color_scheme="dark" if is_dark else "light", reduced_motion="reduce")
        found[look] = violations(page, *(COLOURS if is_dark and not looks else ()))
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[look].append("The page scrolls sideways")
        if shoot:
            shoot(page, f"axe-{name}-{look}")
    return {look: said for look, said in found.items() if said}


def on_each(page: "Page", paths: list[str], shoot: Any, *, in_turn: bool = False) -> dict[str, list[str]]:
    """Open each page; return the violations by path and look. With PICTURES set, a picture of each look is kept."""
    found: dict[str, list[str]] = {}
    keep = shoot if os.environ.get("PICTURES") else None
    for number, path in enumerate(paths):
        answer = page.goto(path)
        assert answer is None or answer.status < 500, path
        name = re.sub(r"[^a-z0-9_.-]+", "-", path.strip("/").lower())[:80] or "start"
        looks = ([*LOOKS][number % len(LOOKS)],) if in_turn and not os.environ.get("EVERY_LOOK") else ()
        found |= {f"{path} ({look})": said for look, said in in_every_look(page, keep, name, looks).items()}
    return found
