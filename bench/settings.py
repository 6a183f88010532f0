"""The project's own settings, with the benchmarks' baseline views beside its URLs."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.site"
