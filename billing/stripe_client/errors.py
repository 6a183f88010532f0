"""A call to Stripe may fail in three ways: ask again later, never, or not now."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from .readers import NO_PLACE

InvalidRequest = stripe.InvalidRequestError
StripeRefused = (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError, stripe.PermissionError)


NO_SUCH_CUSTOMER = "No such customer"


class StripeUnavailable(stripe.APIConnectionError):
    """Stripe did not answer, answered 5xx, limits our rate, or refused our key: nothing changed, ask again later.

    It is an error of the SDK's, since a host project that catches those catches ours too.
    """


class StripeUnanswered(StripeUnavailable):
    """Stripe gave no answer to this call, or none that can be read; it may well answer other calls."""


class StripeDiffers(StripeUnanswered):
    """The answer lacks a field that we read: it is of another API version, and nothing is concluded from it."""

    def __init__(self, field: str, version: str) -> None:
        super().__init__(
            f"Stripe's answer has no {field}, which API version {version} has: set STRIPE_API_VERSION to the version "
            "that the installed stripe package is built for"
        )


class NoSuchCustomer(stripe.InvalidRequestError):
    """Stripe knows no customer of this id by our key: it was never there, or is of another account or mode.

    Lists answer this about a deleted customer too, whom Stripe still knows, as `deleted`, if asked for them alone.
    """


class NoTaxAddress(stripe.InvalidRequestError):
    """Stripe Tax finds no place for the customer: the address is missing, or its country or postal code unknown."""


class TaxIdInvalid(stripe.InvalidRequestError):
    """The tax id cannot be one of its kind."""


class StripeBusy(StripeUnavailable):
    """Stripe limits our rate: the same call may well be answered in a moment."""


BY_CODE: dict[str, type[stripe.InvalidRequestError]] = {NO_PLACE: NoTaxAddress, "tax_id_invalid": TaxIdInvalid}


def _as(kind: type[stripe.InvalidRequestError], error: stripe.InvalidRequestError) -> stripe.InvalidRequestError:
    return kind(error.user_message, error.param, error.code, error.http_body, error.http_status, error.json_body)


@contextmanager
def mapped_errors() -> Iterator[None]:
    try:
        yield
    except StripeUnavailable:
        raise
    except stripe.RateLimitError as error:
        raise StripeBusy("Stripe limits how often we may call") from error
    except stripe.AuthenticationError as error:
        raise StripeUnavailable("Stripe does not accept STRIPE_SECRET_KEY") from error
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing" and (error.user_message or "").startswith(NO_SUCH_CUSTOMER):
            raise _as(NoSuchCustomer, error) from error
        if kind := BY_CODE.get(error.code or ""):
            raise _as(kind, error) from error
        raise
    except (stripe.APIConnectionError, stripe.APIError) as error:
        raise StripeUnanswered(f"Stripe did not answer: {type(error).__name__}") from error
