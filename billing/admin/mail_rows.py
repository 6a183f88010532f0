"""Mails on our pages: billing sends none itself, so the app that does tells of them here.

@mail_rows.told_by
def mails(request, customer_id, cause): ...
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


# Of a customer's mails the newest, or those of one cause where `cause` is not empty; none for who may not see them.
Teller = Callable[[HttpRequest, str, str], Iterable[MailRow]]
_tellers: list[Teller] = []


def told_by(teller: Teller) -> Teller:
    _tellers.append(teller)
    return teller


def of(request: HttpRequest, customer_id: str, cause: str = "") -> list[MailRow]:
    """Oldest first."""
    found = [row for teller in _tellers for row in teller(request, customer_id, cause)]
    return sorted(found, key=lambda row: row.at)
