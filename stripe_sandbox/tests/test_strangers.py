"""Who is not on this machine: a site whose name leads here (DNS rebinding), and other machines of the network."""

import http.client
from typing import Any

import pytest

from stripe_sandbox import Sandbox
from stripe_sandbox.running import OPEN_TO_OTHERS, described

from .conftest import Control

PATHS = ("/", "/_sandbox/", "/v1/customers", "/stripe.js")


def asked(sandbox: Sandbox, host: str, path: str, method: str = "GET", body: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=5)
    connection.request(method, path, body, {"Host": host, "Authorization": "Bearer sk_test_any"})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example.com:12111", "evil.com", "127.0.0.1.evil.com", "[", "evil.com."])
def test_a_site_whose_name_leads_here_gets_nothing(sandbox: Sandbox, host: str, path: str) -> None:
    assert asked(sandbox, host, path) == 403


def test_a_site_whose_name_leads_here_changes_nothing(sandbox: Sandbox, control: Control) -> None:
    before = control("/", method="GET")["now"]
    assert asked(sandbox, "evil.com", "/_sandbox/advance", "POST", '{"seconds": 86400}') == 403
    assert asked(sandbox, "evil.com", "/act/day", "POST") == 403
    assert control("/", method="GET")["now"] - before < 60


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "localhost:12111", "[::1]:12111", "stripe", "stripe.localhost", "host.docker.internal:1"]
)
def test_this_machine_is_served_by_its_own_names(sandbox: Sandbox, host: str, path: str) -> None:
    assert asked(sandbox, host, path) == 200


def test_a_sandbox_that_listens_to_all_is_served_by_any_name_and_says_so() -> None:
    with Sandbox(port=0, host="0.0.0.0") as open_to_others:
        assert asked(open_to_others, "stripe.office.example.com", "/v1/customers") == 200
        assert OPEN_TO_OTHERS in described(open_to_others)


def test_a_sandbox_of_this_machine_alone_does_not_warn(sandbox: Any) -> None:
    assert OPEN_TO_OTHERS not in described(sandbox)
