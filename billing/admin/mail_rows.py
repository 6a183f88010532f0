"""Mails on our pages: billing sends none itself, so the app that does tells of them here.

@mail_rows.told_by
def mails(asked): ...
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class MailRow:
    """`what` leads to the mail's own page; `at` is when it was decided on."""

    what: SafeString
    recipient: str
    state: SafeString
    at: datetime
    cause: str = ""


@dataclass(frozen=True)
class Asked:
    """Of a customer's mails the newest, of one cause or up to a moment where that is given; none for who may not see
    them."""

    request: HttpRequest
    customer_id: str
    cause: str = ""
    until: datetime | None = None
    most: int = 50


Teller = Callable[[Asked], Iterable[MailRow]]
_tellers: list[Teller] = []


def told_by(teller: Teller) -> Teller:
    _tellers.append(teller)
    return teller


def of(asked: Asked) -> list[MailRow]:
    """Newest first."""
    found = [row for teller in _tellers for row in teller(asked)]
    return sorted(found, key=lambda row: row.at, reverse=True)
