"""Hosts are judged by what they mean."""

import pytest

from config.addresses import is_at_stripe, is_loopback, is_network_of_few


@pytest.mark.parametrize(
    "host",
    "localhost LOCALHOST. a.localhost 127.0.0.1 127.0.0.2 127.1 0 0.0.0.0 2130706433 0x7f.1 0x7f000001 017700000001 "
    "[::1] :: ::ffff:127.0.0.1 ::ffff:7f00:1 ::1%lo".split(),
)
def test_this_machine_in_any_spelling(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["billing.example.com", "*", "", "10.0.0.1", "128.0.0.1", "126.255.255.255", "127.example.com"],
)
def test_another_machine_or_none(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("url", ["https://api.stripe.com", "https://stripe.com/", "https://eu.api.stripe.com:443/v1"])
def test_stripe(url: str) -> None:
    assert is_at_stripe(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.stripe.com",
        "https://stripe.com.example.com",
        "https://notstripe.com",
        "https://api.stripe.com@evil.com",
        "https://key@api.stripe.com",
        "https://127.1:12111",
        "api.stripe.com",
        "https://[",
        "",
    ],
)
def test_whoever_says_to_be_stripe(url: str) -> None:
    assert not is_at_stripe(url)


@pytest.mark.parametrize("network", ["10.0.0.0/8", "127.0.0.1", "::1", "fc00::/7", "10.1.2.3/8"])
def test_a_network_of_few(network: str) -> None:
    assert is_network_of_few(network)


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/6", "nonsense", "10.0.0.0/33", ""])
def test_a_network_of_half_the_world_or_none(network: str) -> None:
    assert not is_network_of_few(network)
