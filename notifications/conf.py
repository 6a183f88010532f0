"""Every setting of the mails, read lazily so that `override_settings` works."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.urls import reverse
from django.utils.module_loading import import_string

from billing.conf import conf as billing_conf

ANYMAIL = "anymail.backends."


class Settings:
    """One property a setting; its docstring is its documentation."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(django_settings, name, default)

    @property
    def product_name(self) -> str:
        """NOTIFICATIONS_PRODUCT_NAME: what the mails call the product; empty for the host name of SITE_URL."""
        return self._get("NOTIFICATIONS_PRODUCT_NAME", "") or urlsplit(billing_conf.site_url).hostname or ""

    @property
    def support_email(self) -> str:
        """NOTIFICATIONS_SUPPORT_EMAIL: where answers go; empty for the address the mail comes from."""
        return self._get("NOTIFICATIONS_SUPPORT_EMAIL", "")

    @property
    def account_url(self) -> str:
        """NOTIFICATIONS_ACCOUNT_PATH: the page on SITE_URL where a subscriber sees and changes what they have; empty:
        billing's own."""
        return billing_conf.site_url + (self._get("NOTIFICATIONS_ACCOUNT_PATH", "") or reverse("billing:account"))

    @property
    def prices_url(self) -> str:
        """NOTIFICATIONS_PRICES_PATH: the page on SITE_URL where people subscribe; empty for billing's own."""
        return billing_conf.site_url + (self._get("NOTIFICATIONS_PRICES_PATH", "") or reverse("billing:prices"))

    @property
    def off(self) -> set[str]:
        """NOTIFICATIONS_OFF: kinds of mail that are not sent: `{"welcome"}`. Their rows say so."""
        return set(self._get("NOTIFICATIONS_OFF", ()))

    @property
    def by_stripe(self) -> set[str]:
        """NOTIFICATIONS_BY_STRIPE: kinds that Stripe mails itself, by its own settings: ours are held back."""
        return set(self._get("NOTIFICATIONS_BY_STRIPE", ()))

    @property
    def functions(self) -> dict[str, str]:
        """NOTIFICATIONS_FUNCTIONS: which function is called instead of the one of that name in `billing_mail.mails`,
        by dotted path: `{"welcome": "acme.mails.welcome"}`."""
        return self._get("NOTIFICATIONS_FUNCTIONS", {})

    @property
    def language_of(self) -> str:
        """NOTIFICATIONS_LANGUAGE_OF: dotted path of a callable that takes a subscriber and returns a language code."""
        return self._get("NOTIFICATIONS_LANGUAGE_OF", "")

    @property
    def language(self) -> str:
        """LANGUAGE_CODE: the language of mails to whom no other is known of."""
        return django_settings.LANGUAGE_CODE

    @property
    def from_email(self) -> str:
        """DEFAULT_FROM_EMAIL: whom mails come from."""
        return django_settings.DEFAULT_FROM_EMAIL

    @property
    def tracking(self) -> tuple[str, ...]:
        """NOTIFICATIONS_TRACKING: the mail providers whose reports are heard, by anymail's names: `("sendgrid",)`; none
        for the one that EMAIL_BACKEND sends by."""
        return tuple(self._get("NOTIFICATIONS_TRACKING", ())) or _sent_by(django_settings.EMAIL_BACKEND)

    @property
    def lease(self) -> timedelta:
        """NOTIFICATIONS_LEASE_SECONDS: how long one try may take before it counts as crashed."""
        return timedelta(seconds=self._get("NOTIFICATIONS_LEASE_SECONDS", 180))


def _sent_by(backend: str) -> tuple[str, ...]:
    """The provider of a backend of anymail's, or of a project's own that is made from one."""
    homes = [kind.__module__.removeprefix(ANYMAIL) for kind in import_string(backend).__mro__ if _is_of_anymail(kind)]
    return tuple(homes[:1])


def _is_of_anymail(kind: type) -> bool:
    return kind.__module__.startswith(ANYMAIL) and not kind.__module__.startswith(f"{ANYMAIL}base")


conf = Settings()
