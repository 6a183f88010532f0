"""Pages of the admin show mails. Billing sends none itself, so the app that sends them registers a function here.

@mail_rows.register
def mails(asked): ...
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class MailRow:
    """`what` links to the mail's own page; `at` is when it was decided to send it."""

    what: SafeString
    recipient: str
    state: SafeString
    at: datetime
    cause: str = ""


@dataclass(frozen=True)
class Asked:
    """The admin asks so for a customer's newest mails, optionally of one cause or up to a time. Staff without the
    permission get none."""

    request: HttpRequest
    customer_id: str
    cause: str = ""
    until: datetime | None = None
    most: int = 50


def list_of(customer_id: str) -> list[SafeString]:
    """Return the links to the lists of a customer's mails, where each can be sent again."""
    return [link(customer_id) for link in _lists]


Source = Callable[[Asked], Iterable[MailRow]]
_sources: list[Source] = []
_lists: list[Callable[[str], SafeString]] = []


def register_list(link: Callable[[str], SafeString]) -> Callable[[str], SafeString]:
    _lists.append(link)
    return link


def register(source: Source) -> Source:
    _sources.append(source)
    return source


def newest_mails(asked: Asked) -> list[MailRow]:
    """Return the mails, newest first."""
    found = [row for source in _sources for row in source(asked)]
    return sorted(found, key=lambda row: row.at, reverse=True)
