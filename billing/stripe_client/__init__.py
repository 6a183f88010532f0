"""Every call to Stripe goes out through this room, ours and those of dj-stripe.

get, post, delete, fetch     client, fetch       answers are plain dicts: minor units, UTC seconds
dj-stripe                    djstripe_calls      its classes of the SDK are ours
       │
stripe.StripeClient          the SDK             encodes the request, retries a lost connection
       │
HttpClient                   http_client         our transport, below the SDK
       ├── reads                                 a GET that this drain has asked already needs no call
       ├── gate              home, circuit, budget   may the call go out? shared_state tells all processes
       ├── call_counts                           counted for /metrics
       │
     Stripe                  errors, fields      StripeUnavailable: ask later; StripeRefused: asking again is no use
"""

from . import budget, call_counts, circuit, djstripe_calls, fetch, home, readers, shared_state
from .client import answers, delete, follow_settings, get, get_in_parallel, post, server_time
from .djstripe_calls import as_stripe_object
from .errors import (
    InvalidRequest,
    NoSuchCustomer,
    NoTaxAddress,
    StripeDiffers,
    StripeRefused,
    StripeUnanswered,
    StripeUnavailable,
    TaxIdInvalid,
)
from .fields import FIELDS
from .gate import counted, patient
from .readers import id_of
from .reads import NotFetched, Reads, drain_reads, is_first_time, kept, undone_on_error

__all__ = [
    "FIELDS",
    "InvalidRequest",
    "NoSuchCustomer",
    "NoTaxAddress",
    "NotFetched",
    "Reads",
    "StripeDiffers",
    "StripeRefused",
    "StripeUnanswered",
    "StripeUnavailable",
    "TaxIdInvalid",
    "answers",
    "as_stripe_object",
    "budget",
    "call_counts",
    "circuit",
    "counted",
    "delete",
    "djstripe_calls",
    "drain_reads",
    "fetch",
    "follow_settings",
    "get",
    "get_in_parallel",
    "home",
    "id_of",
    "is_first_time",
    "kept",
    "patient",
    "post",
    "readers",
    "server_time",
    "shared_state",
    "undone_on_error",
]
