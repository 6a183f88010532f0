"""A test of pages fails by itself if one of these things goes wrong."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .plugin import watch

pytestmark = pytest.mark.browser


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Security-Policy", "img-src data:; script-src 'unsafe-inline'")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"Page")

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def watched(chromium, address):
    context = chromium.new_context(base_url=address)
    troubles = watch(context)
    page = context.new_page()
    page.goto("/")
    yield page, troubles
    context.close()


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ("setTimeout(() => { throw new Error('boo') })", "script: boo"),
        ("console.error('boo')", "console: boo"),
        ("fetch('/nothing')", "console: Failed to load resource: the server responded with a status of 404"),
        ("new Image().src = '/picture.png'", "violates the following Content Security Policy directive"),
        ("fetch('https://example.com/', {mode: 'no-cors'}).catch(() => {})", "a request left this machine"),
    ],
)
def test_what_goes_wrong_on_a_page_is_noticed(watched, script, trouble):
    page, troubles = watched
    page.evaluate(f"void ({script})")
    deadline = time.monotonic() + 20
    while not any(trouble in noticed for noticed in troubles) and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    assert any(trouble in noticed for noticed in troubles), troubles


def test_a_page_that_is_answered_404_is_no_trouble(watched):
    page, troubles = watched
    assert page.goto("/nothing").status == 404
    page.wait_for_load_state()
    assert troubles == []
