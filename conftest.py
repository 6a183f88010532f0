"""Every test of the project stands on these fixtures."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from hypothesis import settings as hypothesis

from config.tests import emptying

pytest_plugins = ["billing.testing.plugin", "billing.tests.browser.plugin"]

# The same examples in each run; `--hypothesis-profile=long` looks at others, and at many more.
hypothesis.register_profile("steady", derandomize=True, deadline=None, database=None)
hypothesis.register_profile("long", deadline=None, database=None, max_examples=1500)
hypothesis.load_profile("steady")


def pytest_configure() -> None:
    """Hash passwords cheaply: the slow hash, made to cost, would be a quarter of the whole suite. And look for garbage
    seldom: thousands of tests and all modules stay, and would be walked through for nothing each time.
    """
    gc.set_threshold(50_000, 20, 50)
    emptying.use()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start one worker more than there are cores: many a test waits for a process or a browser. Runs without xdist know
    no such hook.
    """
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the slow files. What needs PostgreSQL is left out, rather than skipped, on another database.

    pytest-django has put last what uses no database of its own: the host projects and the demo, which take longest.
    Then one worker of `make test` would be left alone with them at the end.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in slow)
    if connection.vendor == "postgresql":
        return
    names = ("postgres_only", "stops_database")
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in names)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Test on an SQLite file: in memory, threads would meet other locks than on a real one."""
    if connection.vendor == "sqlite":
        path: Path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(path)


@pytest.fixture(autouse=True)
def a_broker_that_was_not_away() -> None:
    """Another test's broker may have been."""
    from billing import queues

    queues.reset()


@pytest.fixture(autouse=True)
def a_reader_of_no_language_yet() -> Iterator[None]:
    """A test's last page may have been read in French."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def an_empty_cache(request: pytest.FixtureRequest, _django_db_marker: None) -> None:
    """Tests that commit leave the counts of rate limits behind: the cache's table is no model's, and is not flushed."""
    if request.node.get_closest_marker("django_db"):
        cache.clear()
