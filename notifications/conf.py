"""This module reads every setting of the mails, lazily, so that `override_settings` works."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from billing import mailer, site
from billing.conf import conf as billing_conf

ANYMAIL = "anymail.backends."


class Settings:
    """Each property reads one setting; its docstring is the setting's documentation."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(django_settings, name, default)

    def _page(self, name: str, default: str) -> str:
        path = self._get(name, "")
        return site.absolute(path) if path else site.page(default)

    @property
    def product_name(self) -> str:
        """NOTIFICATIONS_PRODUCT_NAME: the product's name in mails. If empty, mails use the host name of SITE_URL."""
        return self._get("NOTIFICATIONS_PRODUCT_NAME", "") or urlsplit(billing_conf.site_url).hostname or ""

    @property
    def support_email(self) -> str:
        """NOTIFICATIONS_SUPPORT_EMAIL: replies go to this address. If empty, they go to the sender's address."""
        return self._get("NOTIFICATIONS_SUPPORT_EMAIL", "")

    @property
    def account_url(self) -> str:
        """NOTIFICATIONS_ACCOUNT_PATH: the path on SITE_URL of the page where subscribers manage their subscription. If
        empty, mails link to billing's account page."""
        return self._page("NOTIFICATIONS_ACCOUNT_PATH", "account")

    @property
    def prices_url(self) -> str:
        """NOTIFICATIONS_PRICES_PATH: the path on SITE_URL of the page where people subscribe. If empty, mails link to
        billing's price page."""
        return self._page("NOTIFICATIONS_PRICES_PATH", "prices")

    @property
    def off(self) -> set[str]:
        """NOTIFICATIONS_OFF: mails of these kinds are not sent, and their rows say so: `{"welcome"}`."""
        return set(self._get("NOTIFICATIONS_OFF", ()))

    @property
    def by_stripe(self) -> set[str]:
        """NOTIFICATIONS_BY_STRIPE: Stripe sends mails of these kinds itself, so we do not."""
        return set(self._get("NOTIFICATIONS_BY_STRIPE", ()))

    @property
    def functions(self) -> dict[str, str]:
        """NOTIFICATIONS_FUNCTIONS: functions to call instead of those of the same name in `billing_mail.mails`, by
        dotted path: `{"welcome": "acme.mails.welcome"}`."""
        return self._get("NOTIFICATIONS_FUNCTIONS", {})

    @property
    def language_of(self) -> str:
        """NOTIFICATIONS_LANGUAGE_OF: the dotted path of a function from a subscriber to a language code."""
        return self._get("NOTIFICATIONS_LANGUAGE_OF", "")

    @property
    def language(self) -> str:
        """LANGUAGE_CODE: a mail is written in this language if the subscriber's is unknown."""
        return django_settings.LANGUAGE_CODE

    @property
    def from_email(self) -> str:
        """DEFAULT_FROM_EMAIL: mails are sent from this address."""
        return django_settings.DEFAULT_FROM_EMAIL

    @property
    def tracking(self) -> tuple[str, ...]:
        """NOTIFICATIONS_TRACKING: we accept delivery reports from these mail providers, by their names in anymail:
        `("sendgrid",)`. If empty, we accept them from the provider of the mail backend."""
        return tuple(self._get("NOTIFICATIONS_TRACKING", ())) or _sent_by(mailer.backend())

    @property
    def lease(self) -> timedelta:
        """NOTIFICATIONS_LEASE_SECONDS: a try that takes longer than this counts as crashed."""
        return timedelta(seconds=self._get("NOTIFICATIONS_LEASE_SECONDS", 180))


def _sent_by(backend: str) -> tuple[str, ...]:
    """Return the provider of an anymail backend, or of a project's own backend that derives from one."""
    homes = [kind.__module__.removeprefix(ANYMAIL) for kind in import_string(backend).__mro__ if _is_of_anymail(kind)]
    return tuple(homes[:1])


def _is_of_anymail(kind: type) -> bool:
    return kind.__module__.startswith(ANYMAIL) and not kind.__module__.startswith(f"{ANYMAIL}base")


conf = Settings()
