"""An agreement is a subscription that is paid by invoice: staff, or a host's back office, draft it and then send it.

`start` does both. All of them change nothing and raise `AgreementRefused` where the terms cannot be; its `code` is
stable, and its sentence says what to do.
"""

from .drafting import discard, draft, send, start
from .starting import each_minute
from .terms import OF_THE_TERMS, AgreementRefused
from .waiting import lasting

__all__ = ["OF_THE_TERMS", "AgreementRefused", "discard", "draft", "each_minute", "lasting", "send", "start"]
