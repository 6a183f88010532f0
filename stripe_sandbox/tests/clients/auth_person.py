"""A person at a site with better-auth: a browser with cookies, that also goes through the sandbox's pages."""

import json
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from ..conftest import Control
from .installing import Driven

PASSWORD = "correct horse battery"
VISA, MASTERCARD = (
    {"number": number, "expiry": "12 / 34", "cvc": "123"} for number in ("4242 4242 4242 4242", "5555 5555 5555 4444")
)
Answer = dict[str, Any]


class Stays(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Follow no redirect: where it leads to is the answer."""


class Person:
    def __init__(self, site: Driven, control: Control, email: str) -> None:
        self.site, self.control, self.email = site, control, email
        self.address: str = site("address")
        self.browser = build_opener(HTTPCookieProcessor(CookieJar()), Stays)
        self.id: str = self.post("sign-up/email", email=email, password=PASSWORD, name="Ada")["user"]["id"]

    def post(self, path: str, **body: Any) -> Answer:
        headers = {"Content-Type": "application/json", "Origin": self.address}
        return self._open(Request(f"{self.address}/api/auth/{path}", json.dumps(body).encode(), headers))

    def get(self, path: str) -> Any:
        return self._open(Request(f"{self.address}/api/auth/{path}"))

    def _open(self, request: Request) -> Any:
        try:
            with self.browser.open(request) as answer:
                return json.loads(answer.read() or "null")
        except HTTPError as error:
            with error:
                body = error.read()
                return {"status": error.code, "location": error.headers.get("location"), **json.loads(body or "{}")}

    def act_on_page(self, url: str, **form: str) -> str:
        """Send a form of one of Stripe's pages; return where it leads to."""
        try:
            with self.browser.open(Request(url, urlencode(form).encode())) as answer:
                return f"nowhere: {answer.read().decode()}"
        except HTTPError as error:
            with error:
                return error.headers["location"] or f"nowhere: {error.read().decode()}"

    def user(self) -> Answer:
        return self._row("user", "id")

    def subscription(self) -> Answer:
        """The newest row of this person, once every webhook has arrived."""
        assert self.control("/settle", {"timeout": 20})["pending"] == 0
        return self._row("subscription", "referenceId")

    def _row(self, model: str, name: str) -> Answer:
        return [dict(row) for row in self.site("rows", model) if row[name] == self.id][-1]

    def upgrade(self, plan: str, **more: Any) -> Answer:
        return self.post(
            "subscription/upgrade", plan=plan, successUrl="/done", cancelUrl="/prices", returnUrl="/account", **more
        )

    def buy(self, plan: str, card: str = "pm_card_visa", **more: Any) -> Answer:
        """Go through Checkout; return the row afterwards."""
        session = self.upgrade(plan, **more)
        self.control(f"/checkout/{session['id']}/complete", {"payment_method": card})
        return self.subscription()
