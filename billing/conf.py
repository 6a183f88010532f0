"""Every setting of `billing`, read lazily so that `override_settings` works."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Settings:
    """One property a setting; its docstring is its documentation."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(django_settings, name, default)

    @property
    def api_key(self) -> str:
        """STRIPE_SECRET_KEY: `sk_test_…` or `sk_live_…`."""
        return self._get("STRIPE_SECRET_KEY", "")

    @property
    def api_version(self) -> str:
        """STRIPE_API_VERSION: the one version we ask for and compare events with."""
        return self._get("STRIPE_API_VERSION", "2026-08-26.dahlia")

    @property
    def api_base(self) -> str:
        """STRIPE_API_BASE: empty for Stripe itself, else the sandbox's address."""
        return (self._get("STRIPE_API_BASE", "") or "").rstrip("/")

    @property
    def is_sandbox(self) -> bool:
        """Whether what stands in for Stripe runs on this machine."""
        return urlsplit(self.api_base).hostname in LOOPBACK

    @property
    def live_mode(self) -> bool:
        """STRIPE_LIVE_MODE: events of the other mode are stored and never processed."""
        return self._get("STRIPE_LIVE_MODE", False)

    @property
    def webhook_secrets(self) -> list[str]:
        """STRIPE_WEBHOOK_SECRETS: old and new while rolling; empty strings never verify."""
        return [secret for secret in self._get("STRIPE_WEBHOOK_SECRETS", []) if secret]

    @property
    def site_url(self) -> str:
        """SITE_URL: where the pages of this project are reached, for links sent to Stripe and in mail."""
        return self._get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

    @property
    def subscriber_model(self) -> str:
        """BILLING_SUBSCRIBER_MODEL: who pays, a user by default."""
        return self._get("BILLING_SUBSCRIBER_MODEL", django_settings.AUTH_USER_MODEL)

    @property
    def request_subscriber(self) -> str:
        """BILLING_REQUEST_SUBSCRIBER: dotted path of a callable: request of somebody signed in → who pays for them, or
        None. By default the user, where users are the subscribers."""
        is_user = self.subscriber_model.lower() == django_settings.AUTH_USER_MODEL.lower()
        return self._get("BILLING_REQUEST_SUBSCRIBER", "billing.access.payer.the_user" if is_user else "")

    @property
    def may_manage(self) -> str:
        """BILLING_MAY_MANAGE: dotted path of a callable: request, subscriber → whether they may buy, change, cancel and
        see invoices. By default everyone the subscriber pays for."""
        return self._get("BILLING_MAY_MANAGE", "")

    @property
    def customer_details(self) -> str:
        """BILLING_CUSTOMER_DETAILS: dotted path of a callable: subscriber → what Stripe is told of them (email, name,
        address, phone, preferred_locales, as Stripe's customer has them). By default their `email`."""
        return self._get("BILLING_CUSTOMER_DETAILS", "")

    @property
    def email_is_confirmed(self) -> str:
        """BILLING_EMAIL_IS_CONFIRMED: dotted path of a callable: subscriber → whether their address is confirmed.
        Who is not buys nothing, and no import links them by address. `billing.confirmed.elsewhere` says that everybody
        is. Empty: nobody knows; all may buy, and an import by address leaves out who joined after the customer was
        made at Stripe."""
        return self._get("BILLING_EMAIL_IS_CONFIRMED", "")

    @property
    def seats(self) -> str:
        """BILLING_SEATS: dotted path of a callable: subscriber → how many seats they pay for, at least 1. Empty: one
        is bought, and no quantity is ever touched."""
        return self._get("BILLING_SEATS", "")

    @property
    def clock(self) -> str:
        """BILLING_CLOCK: dotted path of a callable returning an aware datetime; empty for the real time.

        By default the sandbox's time where DEBUG is on and the sandbox is Stripe, the real one else.
        """
        is_followed = django_settings.DEBUG and self.is_sandbox
        return self._get("BILLING_CLOCK", "billing.clock.sandbox_now" if is_followed else "")

    @property
    def plans(self) -> list[dict[str, Any]] | None:
        """BILLING_PLANS: what is sold, the lowest plan first (docs/seams.md); without it plans live in the database
        alone, and staff edit them."""
        return self._get("BILLING_PLANS", None)

    @property
    def free_plan(self) -> str:
        """BILLING_FREE_PLAN: slug of the plan of everyone without access to a paid one."""
        return self._get("BILLING_FREE_PLAN", "free")

    @property
    def grace_days(self) -> int:
        """BILLING_GRACE_DAYS: access while past due, unless the plan says otherwise."""
        return self._get("BILLING_GRACE_DAYS", 3)

    @property
    def access_rule(self) -> str:
        """BILLING_ACCESS_RULE: dotted path of a function of the subscriber that answers why they have no access in
        spite of all, by a short code ("banned"), or "" (docs/seams.md)."""
        return self._get("BILLING_ACCESS_RULE", "")

    @property
    def dispute_holds(self) -> bool:
        """BILLING_DISPUTE_HOLDS: while a payment is disputed there is no access."""
        return self._get("BILLING_DISPUTE_HOLDS", True)

    @property
    def lost_dispute_cancels(self) -> bool:
        """BILLING_LOST_DISPUTE_CANCELS: a lost dispute cancels the subscription; False: it goes on, with access."""
        return self._get("BILLING_LOST_DISPUTE_CANCELS", True)

    @property
    def full_refund_cancels(self) -> bool:
        """BILLING_FULL_REFUND_CANCELS: all of the running period refunded ends access and subscription; False: they
        go on."""
        return self._get("BILLING_FULL_REFUND_CANCELS", True)

    @property
    def webhook_tolerance(self) -> int:
        """BILLING_WEBHOOK_TOLERANCE: seconds a signature stays valid."""
        return self._get("BILLING_WEBHOOK_TOLERANCE", 300)

    @property
    def webhook_max_bytes(self) -> int:
        """BILLING_WEBHOOK_MAX_BYTES: a larger body is refused unread."""
        return self._get("BILLING_WEBHOOK_MAX_BYTES", 1024 * 1024)

    @property
    def stripe_timeout(self) -> float:
        """BILLING_STRIPE_TIMEOUT: seconds one Stripe call of the worker's may take."""
        return self._get("BILLING_STRIPE_TIMEOUT", 20.0)

    @property
    def stripe_request_timeout(self) -> float:
        """BILLING_STRIPE_REQUEST_TIMEOUT: seconds one Stripe call may take while somebody waits for a page."""
        return self._get("BILLING_STRIPE_REQUEST_TIMEOUT", 6.0)

    @property
    def stripe_rate(self) -> float:
        """BILLING_STRIPE_RATE: calls a second that all processes together send to Stripe; 0 for any number.

        By default a fifth less than Stripe allows: 80 in live mode, 20 in test mode; the sandbox takes any number.
        """
        return self._get("BILLING_STRIPE_RATE", 0 if self.is_sandbox else 80 if self.live_mode else 20)

    @property
    def circuit_failures(self) -> int:
        """BILLING_STRIPE_CIRCUIT_FAILURES: so many calls in a row without an answer, and nobody calls for a while."""
        return self._get("BILLING_STRIPE_CIRCUIT_FAILURES", 5)

    @property
    def circuit_seconds(self) -> float:
        """BILLING_STRIPE_CIRCUIT_SECONDS: how long that while is, before one call tries again."""
        return self._get("BILLING_STRIPE_CIRCUIT_SECONDS", 20)

    @property
    def ready_dead_events(self) -> int:
        """BILLING_READY_DEAD_EVENTS: with more dead events than this the site says that it is not ready."""
        return self._get("BILLING_READY_DEAD_EVENTS", 100)

    @property
    def alert_every(self) -> timedelta:
        """BILLING_ALERT_MINUTES: ADMINS are mailed about one cause no more often than this."""
        return timedelta(minutes=self._get("BILLING_ALERT_MINUTES", 60))

    @property
    def silent_after(self) -> timedelta:
        """BILLING_SILENT_HOURS: without a webhook for so long, while Stripe had some to send, ADMINS are told."""
        return timedelta(hours=self._get("BILLING_SILENT_HOURS", 6))

    @property
    def lease(self) -> timedelta:
        """BILLING_LEASE_SECONDS: how long a worker may hold a lane before another takes it over."""
        return timedelta(seconds=self._get("BILLING_LEASE_SECONDS", 120))

    @property
    def delete_customer(self) -> bool:
        """BILLING_DELETE_CUSTOMER: whose account is deleted is deleted at Stripe too; False keeps a customer without
        name, address, card and e-mail there."""
        return self._get("BILLING_DELETE_CUSTOMER", True)

    @property
    def checkout_rate(self) -> str:
        """BILLING_CHECKOUT_RATE: Checkouts one user may start, in django-ratelimit's words."""
        return self._get("BILLING_CHECKOUT_RATE", "5/m")

    @property
    def renewal_reminder(self) -> timedelta:
        """BILLING_RENEWAL_REMINDER_DAYS: so long before a yearly renewal `renewal_coming` is announced."""
        return timedelta(days=self._get("BILLING_RENEWAL_REMINDER_DAYS", 30))

    @property
    def card_reminder(self) -> timedelta:
        """BILLING_CARD_REMINDER_DAYS: so long before the charge that will find the card expired `card_expiring` is."""
        return timedelta(days=self._get("BILLING_CARD_REMINDER_DAYS", 14))

    @property
    def invoice(self) -> dict[str, Any]:
        """BILLING_INVOICE: what new customers' invoices carry: `{"footer": "…", "memo": "…", "custom_fields":
        [{"name": "VAT", "value": "…"}]}`, each optional, as Stripe limits them."""
        return self._get("BILLING_INVOICE", {})

    @property
    def monitoring_token(self) -> str:
        """BILLING_MONITORING_TOKEN: /metrics and /readyz answer only who sends it as `Authorization: Bearer …`; empty:
        they answer everybody, and the proxy keeps them from the world."""
        return self._get("BILLING_MONITORING_TOKEN", "")

    @property
    def dashboard_currency(self) -> str:
        """BILLING_DASHBOARD_CURRENCY: what the dashboard adds several currencies up in ("usd"); empty: it does not."""
        return self._get("BILLING_DASHBOARD_CURRENCY", "").lower()

    @property
    def dashboard_rates(self) -> dict[str, Decimal]:
        """BILLING_DASHBOARD_RATES: what one of another currency is worth in it: {"eur": "1.08", "jpy": "0.0067"}."""
        given = self._get("BILLING_DASHBOARD_RATES", {})
        return {currency.lower(): Decimal(str(rate)) for currency, rate in given.items()}


conf = Settings()


class _Defaults(Settings):
    """Remembers what is asked for, and answers as if nothing were set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def _get(self, name: str, default: Any) -> Any:
        self.asked.append((name, default))
        return default


def documented() -> dict[str, tuple[Any, str]]:
    """Every setting by name: its default in an empty project, and what its docstring says of it."""
    found = {}
    for attribute, value in vars(Settings).items():
        name, _, sentence = " ".join((getattr(value, "__doc__", "") or "").split()).partition(": ")
        if isinstance(value, property) and name.isupper():
            defaults = _Defaults()
            getattr(defaults, attribute)
            found[name] = (dict(defaults.asked)[name], sentence)
    return found
