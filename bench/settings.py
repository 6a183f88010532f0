"""This module changes the project's settings for benchmarks: as in production, but the sandbox is Stripe, and the
baseline view is beside its URLs."""

from config.settings import *  # noqa: F403
from config.settings import SILENCED_SYSTEM_CHECKS

ROOT_URLCONF = "bench.site"
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "config.E005"]
# The sandbox posts to loopback, with no proxy between.
SECURE_SSL_REDIRECT = False
