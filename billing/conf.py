"""This module reads every setting of `billing`, lazily, so that `override_settings` works."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings

API_VERSION = "2026-08-26.dahlia"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Settings:
    """Every setting is a property, whose docstring is its documentation."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(django_settings, name, default)

    @property
    def api_key(self) -> str:
        """STRIPE_SECRET_KEY: `sk_test_…` or `sk_live_…`."""
        return self._get("STRIPE_SECRET_KEY", "")

    @property
    def api_version(self) -> str:
        """STRIPE_API_VERSION: the only version of Stripe's API that is used; events of another version are noticed."""
        return self._get("STRIPE_API_VERSION", API_VERSION)

    @property
    def api_base(self) -> str:
        """STRIPE_API_BASE: empty for Stripe itself, else the sandbox's address."""
        return (self._get("STRIPE_API_BASE", "") or "").rstrip("/")

    @property
    def is_sandbox(self) -> bool:
        """Return whether a sandbox on this machine stands in for Stripe."""
        return urlsplit(self.api_base).hostname in LOOPBACK

    @property
    def live_mode(self) -> bool:
        """STRIPE_LIVE_MODE: events of the other mode are stored and never processed."""
        return self._get("STRIPE_LIVE_MODE", False)

    @property
    def publishable_key(self) -> str:
        """STRIPE_PUBLISHABLE_KEY: `pk_test_…` or `pk_live_…`, for the page that shows an embedded Checkout."""
        return self._get("STRIPE_PUBLISHABLE_KEY", "")

    @property
    def webhook_secrets(self) -> list[str]:
        """STRIPE_WEBHOOK_SECRETS: the signing secrets, the old and the new one while you roll them."""
        return [secret for secret in self._get("STRIPE_WEBHOOK_SECRETS", []) if secret]

    @property
    def site_url(self) -> str:
        """SITE_URL: address of this project, for links sent to Stripe and in mail."""
        return self._get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

    @property
    def pages(self) -> dict[str, str]:
        """BILLING_PAGES: addresses of pages of your own to which people are sent instead of ours, as a front end has
        them: `{"return": "https://app.example.com/paid", "prices": "…", "account": "…"}`, each optional. Stripe adds
        `session_id` to that of `return`."""
        return self._get("BILLING_PAGES", {})

    @property
    def site_words(self) -> dict[str, str]:
        """BILLING_SITE: what our pages say of the site around them, each part optional: `{"name": "Acme", "support":
        "help@acme.example", "terms": "https://…", "privacy": "/privacy/", "login": "/login/", "logout": "/logout/"}`.
        `support` is an address or a page; `logout` is posted to."""
        return self._get("BILLING_SITE", {})

    @property
    def app_label(self) -> str:
        """BILLING_APP_LABEL: label of the app, with which its tables, permissions, URL names and admin pages begin.
        Choose another one before the first `setup` if "billing" is the label of an app of yours, or its tables' names
        are taken."""
        return self._get("BILLING_APP_LABEL", "billing")

    @property
    def events_table(self) -> str:
        """Return the name of the table of events."""
        return "stripe_events" if self.app_label == "billing" else f"{self.app_label}_stripe_events"

    @property
    def subscriber_model(self) -> str:
        """BILLING_SUBSCRIBER_MODEL: model of the subscribers who pay, users by default."""
        return self._get("BILLING_SUBSCRIBER_MODEL", django_settings.AUTH_USER_MODEL)

    @property
    def request_subscriber(self) -> str:
        """BILLING_REQUEST_SUBSCRIBER: dotted path of a callable: request of a signed-in user → the subscriber who pays,
        or None. By default the user, if users are the subscribers."""
        is_user = self.subscriber_model.lower() == django_settings.AUTH_USER_MODEL.lower()
        return self._get("BILLING_REQUEST_SUBSCRIBER", "billing.access.payer.the_user" if is_user else "")

    @property
    def may_manage(self) -> str:
        """BILLING_MAY_MANAGE: dotted path of a callable: request, subscriber → whether they may buy, change, cancel,
        open the portal and see invoices. By default everyone the subscriber pays for."""
        return self._get("BILLING_MAY_MANAGE", "")

    @property
    def customer_details(self) -> str:
        """BILLING_CUSTOMER_DETAILS: dotted path of a callable: subscriber → the details of the customer at Stripe
        (email, name, address, phone, preferred_locales, by Stripe's names). By default the `email`."""
        return self._get("BILLING_CUSTOMER_DETAILS", "")

    @property
    def email_is_confirmed(self) -> str:
        """BILLING_EMAIL_IS_CONFIRMED: dotted path of a callable: subscriber → whether the e-mail address is confirmed.
        A subscriber with an unconfirmed address buys nothing, and no import links it by address.
        `billing.confirmed.elsewhere` answers that everybody is confirmed. Empty: unknown; everybody may buy, and an
        import by address skips subscribers who joined after the customer was made at Stripe."""
        return self._get("BILLING_EMAIL_IS_CONFIRMED", "")

    @property
    def seats(self) -> str:
        """BILLING_SEATS: dotted path of a callable: subscriber → number of seats to pay for, at least 1. Empty: one
        seat is bought, and no quantity is ever changed."""
        return self._get("BILLING_SEATS", "")

    @property
    def clock(self) -> str:
        """BILLING_CLOCK: dotted path of a callable returning an aware datetime; empty for the real time.

        By default the sandbox's time if DEBUG is on and the sandbox stands in for Stripe, otherwise the real time.
        """
        is_followed = django_settings.DEBUG and self.is_sandbox
        return self._get("BILLING_CLOCK", "billing.clock.sandbox_now" if is_followed else "")

    @property
    def add_ons(self) -> list[dict[str, Any]] | None:
        """BILLING_ADD_ONS: what is sold on top of a plan: `slug`, `name`, `limits` (feature → how many more a month),
        `plans` (slugs), `most` and `prices` as a plan has them (docs/add-ons.md). Without it, one default stands beside
        the default plans."""
        return self._get("BILLING_ADD_ONS", None)

    @property
    def packs(self) -> list[dict[str, Any]] | None:
        """BILLING_PACKS: what is sold once: `slug`, `name`, `prices` (currency → minor units), and `feature` with
        `quantity` credits or `plan` (its slug), for `lasts_days` or for good (docs/packs.md). Without it, two defaults
        stand beside the default plans."""
        return self._get("BILLING_PACKS", None)

    @property
    def plans(self) -> list[dict[str, Any]] | None:
        """BILLING_PLANS: the plans for sale, the lowest first (docs/seams.md). Without it, plans live in the database
        alone, and staff edit them."""
        return self._get("BILLING_PLANS", None)

    @property
    def spend_cap(self) -> dict[str, int]:
        """BILLING_SPEND_CAP: what use beyond the limits may cost a subscriber in a month, currency → minor units; a
        subscriber's own cap counts in its place (docs/pay-by-use.md). Without a currency there is no cap in it."""
        return self._get("BILLING_SPEND_CAP", {})

    @property
    def spend_cap_policy(self) -> str:
        """BILLING_SPEND_CAP_POLICY: `stop` refuses use at the cap, `warn` tells the subscriber and goes on."""
        return self._get("BILLING_SPEND_CAP_POLICY", "stop")

    @property
    def free_plan(self) -> str:
        """BILLING_FREE_PLAN: slug of the plan of everybody without access to a paid plan."""
        return self._get("BILLING_FREE_PLAN", "free")

    @property
    def grace_days(self) -> int:
        """BILLING_GRACE_DAYS: days of access while a payment is overdue, unless the plan sets its own."""
        return self._get("BILLING_GRACE_DAYS", 3)

    @property
    def debit_grace_days(self) -> int:
        """BILLING_DEBIT_GRACE_DAYS: days of access after a bank refused a debit (SEPA, ACH, Bacs), unless the plan sets
        its own: a new try takes days too."""
        return self._get("BILLING_DEBIT_GRACE_DAYS", 14)

    @property
    def invoice_reminder(self) -> timedelta:
        """BILLING_INVOICE_REMINDER_DAYS: days before the due date of an invoice that is sent on which
        `invoice_due_soon` is sent."""
        return timedelta(days=self._get("BILLING_INVOICE_REMINDER_DAYS", 3))

    @property
    def invoice_days(self) -> int:
        """BILLING_INVOICE_DAYS: days until the invoices of an agreement are due, unless it says another number."""
        return self._get("BILLING_INVOICE_DAYS", 30)

    @property
    def access_rule(self) -> str:
        """BILLING_ACCESS_RULE: dotted path of a callable: subscriber → a short code that refuses access ("banned"), or
        "" (docs/seams.md)."""
        return self._get("BILLING_ACCESS_RULE", "")

    @property
    def dispute_holds(self) -> bool:
        """BILLING_DISPUTE_HOLDS: no access while a payment is disputed."""
        return self._get("BILLING_DISPUTE_HOLDS", True)

    @property
    def lost_dispute_cancels(self) -> bool:
        """BILLING_LOST_DISPUTE_CANCELS: a lost dispute cancels the subscription; False: it continues, with access."""
        return self._get("BILLING_LOST_DISPUTE_CANCELS", True)

    @property
    def full_refund_cancels(self) -> bool:
        """BILLING_FULL_REFUND_CANCELS: a refund of the whole running period ends access and subscription; False: they
        continue."""
        return self._get("BILLING_FULL_REFUND_CANCELS", True)

    @property
    def webhook_tolerance(self) -> int:
        """BILLING_WEBHOOK_TOLERANCE: seconds a signature stays valid."""
        return self._get("BILLING_WEBHOOK_TOLERANCE", 300)

    @property
    def webhook_max_bytes(self) -> int:
        """BILLING_WEBHOOK_MAX_BYTES: a webhook with a larger body is refused unread."""
        return self._get("BILLING_WEBHOOK_MAX_BYTES", 1024 * 1024)

    @property
    def stripe_timeout(self) -> float:
        """BILLING_STRIPE_TIMEOUT: seconds that one call of the worker to Stripe may take."""
        return self._get("BILLING_STRIPE_TIMEOUT", 20.0)

    @property
    def stripe_request_timeout(self) -> float:
        """BILLING_STRIPE_REQUEST_TIMEOUT: seconds that one call to Stripe may take while a person waits for a page."""
        return self._get("BILLING_STRIPE_REQUEST_TIMEOUT", 6.0)

    @property
    def stripe_rate(self) -> float:
        """BILLING_STRIPE_RATE: calls a second that all processes together may send to Stripe; 0 for no limit.

        By default a fifth less than Stripe allows: 80 in live mode, 20 in test mode; no limit for the sandbox.
        """
        return self._get("BILLING_STRIPE_RATE", 0 if self.is_sandbox else 80 if self.live_mode else 20)

    @property
    def circuit_failures(self) -> int:
        """BILLING_STRIPE_CIRCUIT_FAILURES: after so many calls in a row without an answer, calls pause for a while."""
        return self._get("BILLING_STRIPE_CIRCUIT_FAILURES", 5)

    @property
    def circuit_seconds(self) -> float:
        """BILLING_STRIPE_CIRCUIT_SECONDS: seconds of that pause, before one call tries again."""
        return self._get("BILLING_STRIPE_CIRCUIT_SECONDS", 20)

    @property
    def ready_dead_events(self) -> int:
        """BILLING_READY_DEAD_EVENTS: with more dead events than this, /readyz answers that the site is not ready."""
        return self._get("BILLING_READY_DEAD_EVENTS", 100)

    @property
    def alert_every(self) -> timedelta:
        """BILLING_ALERT_MINUTES: minutes between two mails to ADMINS about one cause."""
        return timedelta(minutes=self._get("BILLING_ALERT_MINUTES", 60))

    @property
    def silent_after(self) -> timedelta:
        """BILLING_SILENT_HOURS: ADMINS are mailed after so many hours without a webhook, if Stripe had some to send."""
        return timedelta(hours=self._get("BILLING_SILENT_HOURS", 6))

    @property
    def queue(self) -> str:
        """BILLING_QUEUE: what carries the tasks (docs/queues.md): "django-q2", "celery", "rq", "tasks" (Django's
        own) or "none" (`manage.py billing_worker` alone)."""
        return self._get("BILLING_QUEUE", "django-q2")

    @property
    def rq_queue(self) -> str:
        """BILLING_RQ_QUEUE: dotted path of a callable that takes nothing and returns the `rq.Queue` for our tasks:
        "django_rq.get_queue", or a function of yours."""
        return self._get("BILLING_RQ_QUEUE", "")

    @property
    def lease(self) -> timedelta:
        """BILLING_LEASE_SECONDS: seconds a worker may keep a lane before another takes it over."""
        return timedelta(seconds=self._get("BILLING_LEASE_SECONDS", 120))

    @property
    def unanswered_seconds(self) -> float:
        """BILLING_UNANSWERED_SECONDS: seconds a query waits for PostgreSQL before we ask the server, by a connection of
        its own, whether it still works on it; if not, the query fails (docs/security.md#time-outs). 0: never."""
        return float(self._get("BILLING_UNANSWERED_SECONDS", 10))

    @property
    def delete_customer(self) -> bool:
        """BILLING_DELETE_CUSTOMER: the deletion of an account deletes the customer at Stripe too; False keeps it there
        without name, address, card and e-mail."""
        return self._get("BILLING_DELETE_CUSTOMER", True)

    @property
    def checkout_rate(self) -> str:
        """BILLING_CHECKOUT_RATE: number of Checkouts a user may start, as django-ratelimit writes it."""
        return self._get("BILLING_CHECKOUT_RATE", "5/m")

    @property
    def checkout(self) -> str:
        """BILLING_CHECKOUT: dotted path of a callable: subscriber, attempt → parameters that are added to the Checkout
        session: consent, custom fields, phone, metadata, optional items (docs/seams.md)."""
        return self._get("BILLING_CHECKOUT", "")

    @property
    def is_checkout_embedded(self) -> bool:
        """BILLING_CHECKOUT_EMBEDDED: Checkout is shown on a page of this site, not on Stripe's; it needs
        STRIPE_PUBLISHABLE_KEY."""
        return self._get("BILLING_CHECKOUT_EMBEDDED", False)

    @property
    def add_card(self) -> str:
        """BILLING_ADD_CARD: where a subscriber adds a card: "portal", or "checkout", a Checkout that only saves it."""
        return self._get("BILLING_ADD_CARD", "portal")

    @property
    def trial_without_card(self) -> str:
        """BILLING_TRIAL_WITHOUT_CARD: whether a trial begins without a card, unless the plan says so itself: "no",
        "cancel" (without a card it ends with the subscription) or "pause" (a card takes it up again)."""
        return self._get("BILLING_TRIAL_WITHOUT_CARD", "no")

    @property
    def trial_days(self) -> str:
        """BILLING_TRIAL_DAYS: dotted path of a callable: subscriber, plan → days of its trial, 0 for none, 730 at most;
        the subscriber is None for a visitor. Empty: the plan's `trial_days`. Who had a trial gets none."""
        return self._get("BILLING_TRIAL_DAYS", "")

    @property
    def trial_once_per(self) -> list[str]:
        """BILLING_TRIAL_ONCE_PER: by what else than the subscriber a person is known who had a trial already: "card"
        (only known after Checkout) and "email", without what follows a + and, at Gmail, without dots."""
        return self._get("BILLING_TRIAL_ONCE_PER", ["card", "email"])

    @property
    def trial_same_card(self) -> str:
        """BILLING_TRIAL_SAME_CARD: what happens to a trial whose card had a trial with another subscriber: "alert"
        (staff decide) or "end" (it ends at once, and the first payment is charged)."""
        return self._get("BILLING_TRIAL_SAME_CARD", "alert")

    @property
    def renewal_reminder(self) -> timedelta:
        """BILLING_RENEWAL_REMINDER_DAYS: days before the renewal of half a year or longer on which `renewal_coming` is
        sent."""
        return timedelta(days=self._get("BILLING_RENEWAL_REMINDER_DAYS", 30))

    @property
    def card_reminder(self) -> timedelta:
        """BILLING_CARD_REMINDER_DAYS: days before the charge of an expired card on which `card_expiring` is sent."""
        return timedelta(days=self._get("BILLING_CARD_REMINDER_DAYS", 14))

    @property
    def credits_low_percent(self) -> int:
        """BILLING_CREDITS_LOW_PERCENT: `credits_low` is sent when at most so many percent of a subscriber's credits are
        left; 0: never."""
        return self._get("BILLING_CREDITS_LOW_PERCENT", 20)

    @property
    def credits_reminder(self) -> timedelta:
        """BILLING_CREDITS_REMINDER_DAYS: days before credits expire on which `credits_expiring` is sent."""
        return timedelta(days=self._get("BILLING_CREDITS_REMINDER_DAYS", 7))

    @property
    def guests_buy_packs(self) -> bool:
        """BILLING_GUESTS_BUY_PACKS: whether packs are sold to visitors without an account, by their e-mail address.
        They get what they bought once they sign up and confirm that address (BILLING_EMAIL_IS_CONFIRMED)."""
        return self._get("BILLING_GUESTS_BUY_PACKS", False)

    @property
    def invoice(self) -> dict[str, Any]:
        """BILLING_INVOICE: texts on the invoices of new customers: `{"footer": "…", "memo": "…", "custom_fields":
        [{"name": "VAT", "value": "…"}]}`, each optional, as Stripe limits them."""
        return self._get("BILLING_INVOICE", {})

    @property
    def tax(self) -> dict[str, Any]:
        """BILLING_TAX: how what is sold is taxed, each part optional: `{"automatic": True}` for Stripe Tax or
        `{"rates": ["txr_…"]}` for tax rates of yours; `"tax_ids": True` asks for a tax ID at Checkout; `"behavior"`,
        "inclusive" or "exclusive", says whether prices include tax; `"code"` is the products' tax code, and `"codes"`
        names those of single plans and packs, by slug (docs/tax.md).
        """
        return self._get("BILLING_TAX", {})

    @property
    def pause_days(self) -> int:
        """BILLING_PAUSE_DAYS: days ahead until which subscribers may pause their payments by themselves; 0: they may
        not, and staff do it for them."""
        return self._get("BILLING_PAUSE_DAYS", 0)

    @property
    def cancel_offer(self) -> str:
        """BILLING_CANCEL_OFFER: dotted path of a callable: `Subscription` about to be cancelled → what is offered to
        keep it, `{"percent_off": 30, "months": 3}`, or None (docs/discounts.md). Each subscription takes one offer."""
        return self._get("BILLING_CANCEL_OFFER", "")

    @property
    def monitoring_token(self) -> str:
        """BILLING_MONITORING_TOKEN: /metrics and /readyz answer only requests with `Authorization: Bearer …`. Empty:
        they answer everybody, so the proxy must keep them private."""
        return self._get("BILLING_MONITORING_TOKEN", "")

    @property
    def dashboard_currency(self) -> str:
        """BILLING_DASHBOARD_CURRENCY: currency in which the dashboard adds up all currencies ("usd"); empty: none."""
        return self._get("BILLING_DASHBOARD_CURRENCY", "").lower()

    @property
    def dashboard_rates(self) -> dict[str, Decimal]:
        """BILLING_DASHBOARD_RATES: the worth of other currencies in that one: {"eur": "1.08", "jpy": "0.0067"}."""
        given = self._get("BILLING_DASHBOARD_RATES", {})
        return {currency.lower(): Decimal(str(rate)) for currency, rate in given.items()}


conf = Settings()


class _Defaults(Settings):
    """These settings answer with defaults, and remember which ones were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def _get(self, name: str, default: Any) -> Any:
        self.asked.append((name, default))
        return default


def documented() -> dict[str, tuple[Any, str]]:
    """Return every setting by name, with its default in an empty project and its docstring."""
    found = {}
    for attribute, value in vars(Settings).items():
        name, _, sentence = " ".join((getattr(value, "__doc__", "") or "").split()).partition(": ")
        if isinstance(value, property) and name.isupper():
            defaults = _Defaults()
            getattr(defaults, attribute)
            found[name] = (dict(defaults.asked)[name], sentence)
    return found
