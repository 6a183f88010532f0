"""A person without a browser: real HTTP, forms filled in as they stand on the page."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Person(requests.Session):
    """`page` is the answer that was given last."""

    page: requests.Response

    def open(self, url: str) -> requests.Response:
        self.page = self.get(url, timeout=30)
        return self.page

    def submit(self, action: str = "", **fields: str) -> requests.Response:
        """The page's form with this in its action (of several the first), its hidden fields filled in."""
        form = next(form for form in _forms(self.page.text) if action in form["action"])
        url = urljoin(self.page.url, form["action"])
        self.page = self.post(url, {**form["fields"], **fields}, headers={"Referer": self.page.url}, timeout=30)
        return self.page

    def log_in(self, url: str, username: str, password: str) -> requests.Response:
        self.open(url)
        return self.submit(username=username, password=password)

    def lose_session(self) -> None:
        """Nothing happens when a session ends: the page stays open."""
        self.cookies.set("sessionid", None)

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page.text, re.DOTALL)
        return found[1].strip() if found else ""


class _Forms(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.found.append({"action": given.get("action") or "", "fields": {}})
        elif tag == "input" and self.found and given.get("type") == "hidden":
            self.found[-1]["fields"][given["name"]] = given.get("value") or ""


def _forms(html: str) -> list[dict]:
    parser = _Forms()
    parser.feed(html)
    return parser.found
