"""These are the site's settings; only this module reads the environment.

Every variable has a default that suits a fresh machine: SQLite, the Stripe sandbox on loopback, mail on the console.
With `DJANGO_DEBUG=false` none of the unsafe defaults passes `config.checks`.
"""

from email.utils import getaddresses
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import environ
from django.utils.translation import gettext_lazy as _

from billing import hosting, mailer
from config.addresses import is_network_of_few
from config.logging import configure_structlog, logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")


def text(name: str, default: str = "") -> str:
    """Return a variable's text. An empty one counts as not set. `NAME_FILE` may name a file that holds the value."""
    return env.str(name, default="").strip() or default


def listed(name: str, default: list[str]) -> list[str]:
    return [item.strip() for item in text(name).split(",") if item.strip()] or default


# What is set to something it cannot be, and what it must be: `config.checks` says so, and nothing starts.
MISSET: dict[str, str] = {}


def number(name: str, default: float) -> float:
    """Return a variable as a number of 0 or more."""
    try:
        given = float(text(name, str(default)))
    except ValueError:
        given = -1
    if not 0 <= given < float("inf"):
        MISSET[name] = "a number, 0 or more"
        return default
    return given


def flag(name: str, default: bool) -> bool:
    given = text(name, str(default)).lower()
    if given not in {"true", "false", "yes", "no", "on", "off", "1", "0"}:
        MISSET[name] = "true or false"
        return default
    return given in {"true", "yes", "on", "1"}


def database(default: str) -> dict[str, Any]:
    given = text("DATABASE_URL", default)
    try:
        if urlsplit(given).scheme in env.DB_SCHEMES:
            return dict(env.db_url_config(given))
    except ValueError:
        pass
    MISSET["DATABASE_URL"] = "an address like postgres://user:password@host/name, special characters percent-encoded"
    return dict(env.db_url_config("sqlite://:memory:"))


def redis(name: str) -> str:
    given = text(name)
    if given and not given.startswith(("redis://", "rediss://", "unix://")):
        MISSET[name] = "an address like redis://host:6379/0"
        return ""
    return given


def networks(name: str) -> list[str]:
    """Return a variable's addresses and networks. A network of half of all addresses would let any client say who it
    is."""
    given = listed(name, [])
    if any(not is_network_of_few(item) for item in given):
        MISSET[name] = "the addresses or networks of your own proxies, comma-separated: 10.0.0.0/8"
        return []
    return given


def _named(prefix: str) -> set[str]:
    return {name.removesuffix("_FILE") for name in env.ENVIRON if name.startswith(prefix)}


# What the embedded case runs on. `config.checks` knows them, and refuses them in production.
EMBEDDED_SECRET_KEY = "django-insecure-for-development-only-never-in-production"
EMBEDDED_STRIPE_KEY = "sk_test_" + "sandbox0" * 3
EMBEDDED_STRIPE_API_BASE = "http://127.0.0.1:12111"
EMBEDDED_WEBHOOK_SECRET = "whsec_sandbox"
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# --- Core ------------------------------------------------------------------------------------------------------------

DEBUG = flag("DJANGO_DEBUG", default=True)
SECRET_KEY = text("DJANGO_SECRET_KEY", EMBEDDED_SECRET_KEY)
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", LOOPBACK_HOSTS if DEBUG else [])
SITE_URL = text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
# Addresses or networks of the proxies in front of us. Only these are believed about scheme and client.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES")

# Django 6 sends a content security policy by itself; before it, django-csp does.
HAS_CSP = django.VERSION >= (6, 0)

INSTALLED_APPS = [
    "config.admin_app.SiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "djstripe",
    "django_q",
    "anymail",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_otp_webauthn",
    "config",
    "accounts",
    "notifications",
    "billing",
]

MIDDLEWARE = [
    "billing.monitoring.any_host.health_by_any_host",
    "config.proxies.TrustedProxies",
    "config.caching.private_answers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware" if HAS_CSP else "csp.middleware.CSPMiddleware",
    "billing.api.errors.json_errors",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.language.LocaleMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.PasswordGuard",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Users -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.GuardedBackend"]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/billing/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Whether addresses are confirmed by mail before anything is bought or linked by them.
ACCOUNTS_CONFIRM_EMAIL = flag("CONFIRM_EMAIL", default=not DEBUG)
# Days that an API token lasts; 0 for no end.
ACCOUNTS_TOKEN_DAYS = number("TOKEN_DAYS", 365)
# Nothing confirms an address where we do not: then an import by e-mail leaves out who came after the customer.
BILLING_EMAIL_IS_CONFIRMED = "accounts.confirmation.is_confirmed" if ACCOUNTS_CONFIRM_EMAIL else ""

# Staff are let into the admin only after a second step; those who have none are led to add one.
STAFF_SECOND_FACTOR = flag("STAFF_SECOND_FACTOR", default=not DEBUG)
# The same counters as for passwords stand before these codes: accounts.guessing.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
# A passkey belongs to a host name. On a developer's machine that is `localhost`, for 127.0.0.1 is none.
_site = urlsplit(SITE_URL)
_is_on_loopback = f"[{_site.hostname}]" in LOOPBACK_HOSTS or _site.hostname in LOOPBACK_HOSTS
OTP_WEBAUTHN_RP_ID = "localhost" if _is_on_loopback else _site.hostname or ""
_port = _site.netloc.lower().removeprefix(f"[{_site.hostname}]").removeprefix(_site.hostname or "")
OTP_WEBAUTHN_ALLOWED_ORIGINS = [f"{_site.scheme}://{OTP_WEBAUTHN_RP_ID}{_port}"]
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False

# --- Database --------------------------------------------------------------------------------------------------------

DATABASES = {"default": database(f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"].setdefault("OPTIONS", {}).update(hosting.SQLITE_OPTIONS)
else:
    DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # A server that does not answer is away; `?connect_timeout=`, `&tcp_user_timeout=` in DATABASE_URL set other values.
    DATABASES["default"]["OPTIONS"] = {**hosting.POSTGRESQL_OPTIONS, **DATABASES["default"].get("OPTIONS", {})}

# --- Cache and queue -------------------------------------------------------------------------------------------------

REDIS_URL = redis("REDIS_URL")
# A Redis that hangs is away. The worker asks it to wait a second for a task, so this is longer.
_queue_redis = f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}socket_connect_timeout=1&socket_timeout=5"

CACHES = hosting.CACHES
Q_CLUSTER = hosting.Q_CLUSTER
DJSTRIPE_FOREIGN_KEY_TO_FIELD = hosting.DJSTRIPE_FOREIGN_KEY_TO_FIELD

if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            # A Redis that hangs holds up no page: what is counted there is counted by each process for a while.
            "OPTIONS": {
                "serializer": "billing.cache.SignedSerializer",
                "socket_connect_timeout": 1,
                "socket_timeout": 2,
            },
        }
    }
    Q_CLUSTER = {**Q_CLUSTER, "redis": _queue_redis}
    del Q_CLUSTER["orm"]

# --- Stripe ----------------------------------------------------------------------------------------------------------

STRIPE_LIVE_MODE = flag("STRIPE_LIVE_MODE", default=False)

_given_stripe_key = text("STRIPE_SECRET_KEY")
_is_embedded_stripe = DEBUG and not _given_stripe_key

STRIPE_SECRET_KEY = EMBEDDED_STRIPE_KEY if _is_embedded_stripe else _given_stripe_key
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else STRIPE_SECRET_KEY
STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY if STRIPE_LIVE_MODE else ""
# Only an embedded Checkout needs it: BILLING_CHECKOUT_EMBEDDED.
STRIPE_PUBLISHABLE_KEY = text("STRIPE_PUBLISHABLE_KEY")
# Empty is Stripe's own address.
STRIPE_API_BASE = text("STRIPE_API_BASE", EMBEDDED_STRIPE_API_BASE if _is_embedded_stripe else "")
STRIPE_WEBHOOK_SECRETS = listed("STRIPE_WEBHOOK_SECRET", [EMBEDDED_WEBHOOK_SECRET] if _is_embedded_stripe else [])

_stripe_origin = urlsplit(STRIPE_API_BASE)
_is_sandbox = _stripe_origin.hostname in {"localhost", "127.0.0.1", "::1"}

# Calls a second of all processes together; the sandbox takes as many as it can.
BILLING_STRIPE_RATE = number("STRIPE_RATE", 0 if _is_sandbox else 80 if STRIPE_LIVE_MODE else 20)

# Where it is set, /metrics and /readyz answer only who sends it: `Authorization: Bearer …`.
BILLING_MONITORING_TOKEN = text("MONITORING_TOKEN")

# --- API -------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["billing.api.parsers.StorableJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "billing.api.errors.handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Billing",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Mail ------------------------------------------------------------------------------------------------------------

# What pages, mails and the admin call the product.
NOTIFICATIONS_PRODUCT_NAME = text("PRODUCT_NAME", "Billing demo")
# In the footer of every page: an address or page for support, and the pages of terms and of privacy.
BILLING_SITE = {name: value for name in ("support", "terms", "privacy") if (value := text(f"{name.upper()}_LINK"))} | {
    "name": NOTIFICATIONS_PRODUCT_NAME
}
NOTIFICATIONS_SUPPORT_EMAIL = text("SUPPORT_LINK") if "@" in text("SUPPORT_LINK") else ""
OTP_TOTP_ISSUER = OTP_WEBAUTHN_RP_NAME = NOTIFICATIONS_PRODUCT_NAME

DEFAULT_FROM_EMAIL = SERVER_EMAIL = text("FROM_EMAIL", "Billing <billing@example.com>")
# Who is told when something needs a person: `Ops <ops@example.com>, grace@example.com`.
ADMINS = mailer.admins(getaddresses([text("ADMINS")]) if text("ADMINS") else [])
EMAIL_SUBJECT_PREFIX = f"[{NOTIFICATIONS_PRODUCT_NAME}] "

# The console; SendGrid where its key is set; SMTP where EMAIL_URL is; any other provider of anymail's by EMAIL_BACKEND
# and what anymail asks for it, each by its name in anymail's documentation: ANYMAIL_POSTMARK_SERVER_TOKEN.
SENDGRID_API_KEY = text("SENDGRID_API_KEY")
_server = env.email_url_config(text("EMAIL_URL")) if text("EMAIL_URL") else {}
_server |= {f"EMAIL_{name}": value for name, value in _server.pop("OPTIONS", {}).items()}
_backend = "anymail.backends.sendgrid.EmailBackend" if SENDGRID_API_KEY else mailer.CONSOLE
_backend = text("EMAIL_BACKEND", _server.pop("EMAIL_BACKEND", _backend))
if _backend == mailer.SMTP or "EMAIL_HOST" in _server:
    _server.setdefault("EMAIL_TIMEOUT", 20)
vars().update(mailer.mail_settings(_backend, **_server))
ANYMAIL = {
    "SENDGRID_API_KEY": SENDGRID_API_KEY,
    "SENDGRID_API_URL": text("SENDGRID_API_URL", "https://api.sendgrid.com/v3/"),
    **{name.removeprefix("ANYMAIL_"): text(name) for name in _named("ANYMAIL_")},
}
# Whose reports are heard where it is not the one mail leaves by: a provider reached by SMTP, or the one before.
NOTIFICATIONS_TRACKING = listed("MAIL_TRACKING", [])
SILENCED_SYSTEM_CHECKS = [
    "anymail.W003",  # anymail no longer tests against SendGrid itself; our own tests hold the request it makes
    "security.W005",  # HSTS of subdomains
    "security.W021",  # HSTS preloading
]

# --- Security --------------------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = not DEBUG
# For this host only: its sister subdomains are not ours to decide about.
SECURE_HSTS_SECONDS = 0 if DEBUG else 60 * 60 * 24 * 365
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"

_policy = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    # Browsers hold a form's redirects to this list too: Checkout and the portal are reached by one.
    "form-action": [
        "'self'",
        "https://checkout.stripe.com",
        "https://billing.stripe.com",
        *([f"{_stripe_origin.scheme}://{_stripe_origin.netloc}"] if _is_sandbox else []),
    ],
}
if HAS_CSP:
    SECURE_CSP = _policy
else:
    CONTENT_SECURITY_POLICY = {"DIRECTIVES": _policy}

# --- Language and time -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("de", _("German"))]
# The words of this site; each app has its own beside them, and `makemessages` writes here what it finds in none.
LOCALE_PATHS = [BASE_DIR / "accounts" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files: WhiteNoise serves what the apps ship; there is nothing to collect ----------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- Logs and errors -------------------------------------------------------------------------------------------------

configure_structlog()
LOGGING = logging_config(is_json=not DEBUG)

SENTRY_DSN = text("SENTRY_DSN")
if SENTRY_DSN:
    from config import sentry

    sentry.configure(SENTRY_DSN)
