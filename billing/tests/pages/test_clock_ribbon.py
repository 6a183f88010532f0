"""The ribbon with the sandbox's time: on every page where the rules go by it, and on no other."""

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

import pytest
from django.contrib.auth import get_user_model
from django.template import Context, Template

from billing import clock

RIBBON = r'<p class="sandbox-clock" role="note">Sandbox time: <time datetime="([^"]+)">([^<]+)</time></p>'
PAGES = ("/", "/admin/login/", "/accounts/login/")


@pytest.fixture
def follows(world, settings, monkeypatch):
    """The rules go by the sandbox's clock, which nobody has asked yet."""
    settings.BILLING_CLOCK = clock.SANDBOX_CLOCK
    monkeypatch.setattr(clock, "sandbox_now", clock.SandboxClock())
    return world


def ribbon(page):
    found = re.findall(RIBBON, page)
    return found[0] if found else None


@pytest.mark.parametrize("path", PAGES)
def test_pages_show_the_sandboxs_time(follows, client, path):
    now = follows.control("advance", seconds=40 * 86_400)["now"]
    stated, words = ribbon(client.get(path, secure=True).content.decode())
    assert abs(clock.datetime.fromisoformat(stated).timestamp() - now) < 60
    assert re.fullmatch(r"\d+ [A-Z][a-z]+ 20\d\d, \d\d:\d\d UTC", words)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("other", ["", "billing.testing.now"])
def test_by_any_other_clock_a_page_shows_none(world, client, settings, path, other):
    settings.BILLING_CLOCK = other
    page = client.get(path, secure=True).content.decode()
    assert "sandbox-clock" not in page
    assert "billing/clock.css" not in page


def test_the_admin_shows_it_to_staff_on_every_page(follows, client):
    client.force_login(get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery"))
    for path in ("/admin/", "/admin/billing/customer/", "/admin/billing_mail/preview/"):
        assert ribbon(client.get(path, secure=True).content.decode()), path


def test_it_costs_no_query_and_one_question_to_the_sandbox_for_many_pages(
    follows, django_assert_num_queries, monkeypatch
):
    asked = []
    monkeypatch.setattr(clock, "urlopen", lambda *given, **more: asked.append(given) or urlopen(*given, **more))
    template = Template("{% load billing_clock %}{% sandbox_clock %}")
    with django_assert_num_queries(0):
        pages = [template.render(Context()) for _ in range(20)]
    assert all(map(ribbon, pages))
    assert len(asked) == 1


def test_a_time_zone_of_the_project_does_not_change_it(follows, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    _, words = ribbon(Template("{% load billing_clock %}{% sandbox_clock %}").render(Context()))
    assert words == f"{clock.now().astimezone(clock.UTC):%-d %B %Y, %H:%M} UTC"


class Nonsense(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self):
        self.wfile.write(self.body)

    def log_message(self, *args):
        """Quiet."""


FOUND = b"HTTP/1.0 200 OK\r\n\r\n"


@pytest.mark.parametrize("body", [b"", b"no HTTP\r\n", FOUND + b"no JSON", FOUND + b"{}", FOUND + b"[]"])
def test_a_page_does_not_fail_where_something_else_answers_for_the_sandbox(settings, monkeypatch, body):
    monkeypatch.setattr(Nonsense, "body", body)
    with ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_port}"
        settings.BILLING_CLOCK = clock.SANDBOX_CLOCK
        monkeypatch.setattr(clock, "sandbox_now", clock.SandboxClock())
        assert ribbon(Template("{% load billing_clock %}{% sandbox_clock %}").render(Context()))
        server.shutdown()
