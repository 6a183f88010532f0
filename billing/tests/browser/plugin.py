"""Tests that look at pages as a person does: in Debian's headless Chromium, driven by playwright.

    pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

    def test_a_stranger_sees_the_prices(browse, shoot, live_server):
        page = browse(live_server.url + "/", phone=True, dark=True)     # javascript=False: without scripts
        expect(page.get_by_role("heading", level=1)).to_be_visible()    # playwright.sync_api.expect waits
        page.get_by_role("link", name="Sign up").click()
        shoot(page, "sign-up-phone-dark")                               # tmp/screenshots/sign-up-phone-dark.png
        assert accessibility.problems(page) == []

- Each call of `browse` is a person of their own: a new context with no cookies. Addresses may be relative from then on.
- A test fails, at its end, on an error in the console (a violation of the Content-Security-Policy is one), on an
  exception in a script, and on a request to any host but this one, for which no name resolves either. A page that is
  itself answered 4xx is no error: assert on what it says.
- Name `browse` after the fixture of the server: people leave before it closes.
- Find things as a person does, by role and label, so that the test also holds that they have one.
- What a view needs of the database must be committed: `transaction=True`, as for every live server.
- Where no Chromium is installed the tests are skipped, and the summary says why.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize

Browse = Callable[..., "Page"]
Shoot = Callable[["Page", str], Path]

NAMES = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS = Path(__file__).parents[3] / "tmp" / "screenshots"
DESKTOP: "ViewportSize" = {"width": 1280, "height": 860}
PHONE: "ViewportSize" = {"width": 360, "height": 740}
PATIENCE_MS = 20_000
LOOPBACK = {"127.0.0.1", "localhost"}
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, " + ", ".join(f"EXCLUDE {host}" for host in LOOPBACK)


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """One browser for a module.

    playwright keeps an event loop in this thread, though never while a test's own lines run: Django is told that it may
    use the database here all the same. Both end with the module, so that no other test meets them.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no Chromium found (looked for {', '.join(NAMES)}): apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=found, args=[NO_OTHER_HOST])
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: "Browser") -> Iterator[Browse]:
    """`browse(url, phone=False, dark=False, javascript=True)` is a new person's page, opened there."""
    contexts: list[BrowserContext] = []
    troubles: list[list[str]] = []

    def person(url: str, *, phone: bool = False, dark: bool = False, javascript: bool = True, **more: Any) -> "Page":
        context = chromium.new_context(
            base_url="{0.scheme}://{0.netloc}".format(urlsplit(url)),
            viewport=PHONE if phone else DESKTOP,
            is_mobile=phone,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
            **more,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        troubles.append(watch(context))
        page = context.new_page()
        page.goto(url)
        return page

    yield person
    for context in contexts:
        context.close()
    assert not any(troubles), "\n".join(trouble for one in troubles for trouble in one)


@pytest.fixture
def shoot() -> Shoot:
    """`shoot(page, name)` keeps the whole page as tmp/screenshots/{name}.png."""

    def keep(page: "Page", name: str) -> Path:
        path = SCREENSHOTS / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return keep


def watch(context: "BrowserContext") -> list[str]:
    """Return a list that fills with what goes wrong on the context's pages."""
    troubles: list[str] = []
    visited: set[str] = set()

    def on_request(request: "Request") -> None:
        if request.is_navigation_request():
            visited.add(request.url)
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOOPBACK:
            troubles.append(f"a request left this machine: {request.url}")

    def on_console(message: "ConsoleMessage") -> None:
        url = message.location["url"]
        is_answer = message.text.startswith("Failed to load resource") and "status of 4" in message.text
        # Chromium's viewer of PDFs asks for an icon by itself.
        is_asked_for = url in visited or url.endswith("/favicon.ico")
        if message.type == "error" and not (is_answer and is_asked_for):
            troubles.append(f"console: {message.text} ({url})")

    context.on("request", on_request)
    context.on("console", on_console)
    context.on("weberror", lambda error: troubles.append(f"script: {error.error}"))
    return troubles
