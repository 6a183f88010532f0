"""This module has the settings and URLs of dj-stripe as it comes, the baseline. DJANGO_SETTINGS_MODULE=bench.stock"""

import environ
import stripe

env = environ.Env()

DEBUG = False
SECRET_KEY = env.str("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "djstripe"]
# Its migrations take two minutes to arrive at the tables that its models describe.
MIGRATION_MODULES = dict.fromkeys(("contenttypes", "auth", "djstripe"))
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "bench.stock_urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {**env.db_url("DATABASE_URL"), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
USE_TZ = True

STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = env.str("STRIPE_SECRET_KEY")
STRIPE_API_VERSION = stripe.api_version
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
stripe.api_base = env.str("STRIPE_API_BASE")
