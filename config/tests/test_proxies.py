"""Only our own proxies are believed about who is calling."""

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from config.proxies import TrustedProxies


def seen(caller: str, forwarded_for: str = "", **headers: str) -> HttpRequest:
    requests: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    headers |= {"HTTP_X_FORWARDED_FOR": forwarded_for} if forwarded_for else {}
    TrustedProxies(view)(RequestFactory().get("/", REMOTE_ADDR=caller, **headers))  # type: ignore[arg-type]
    return requests[0]


@pytest.fixture(autouse=True)
def trusted(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "::1"]


def test_without_proxies_the_middleware_is_not_used(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = []
    with pytest.raises(MiddlewareNotUsed):
        TrustedProxies(lambda request: HttpResponse())


def test_a_proxy_of_ours_tells_who_called_it() -> None:
    assert seen("10.0.0.1", "203.0.113.7").META["REMOTE_ADDR"] == "203.0.113.7"


def test_a_chain_of_proxies_is_followed_to_the_first_stranger() -> None:
    assert seen("::1", "198.51.100.9, 203.0.113.7, 10.1.2.3").META["REMOTE_ADDR"] == "203.0.113.7"


def test_a_stranger_cannot_pretend_to_be_someone_else() -> None:
    request = seen("203.0.113.7", "198.51.100.9", HTTP_X_FORWARDED_PROTO="https")
    assert request.META["REMOTE_ADDR"] == "203.0.113.7"
    assert "HTTP_X_FORWARDED_PROTO" not in request.META


def test_a_hop_that_is_no_address_ends_the_search() -> None:
    assert seen("10.0.0.1", "203.0.113.7, unknown").META["REMOTE_ADDR"] == "10.0.0.1"
    assert seen("10.0.0.1").META["REMOTE_ADDR"] == "10.0.0.1"


@pytest.mark.parametrize(
    ("caller", "forwarded_for", "client"),
    [
        ("10.0.0.1", "203.0.113.7:22272", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.9:1, 203.0.113.7:22272, 10.1.2.3:443", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:22272", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "198.51.100.9", "::ffff:203.0.113.7"),
        ("10.0.0.1", "203.0.113.7:22272:1", "10.0.0.1"),
    ],
)
def test_ports_and_ipv4_written_as_ipv6_are_read(caller: str, forwarded_for: str, client: str) -> None:
    assert seen(caller, forwarded_for).META["REMOTE_ADDR"] == client
