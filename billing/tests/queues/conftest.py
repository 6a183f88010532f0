import pytest

from billing.tests.redis_server import Redis

from .project import Project

pytest.register_assert_rewrite("billing.tests.queues.story")


@pytest.fixture
def redis_server(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def project(tmp_path, settings, monkeypatch):
    """The site, with the queue that a section of docs/queues.md sets up: in this process, and in those it starts."""
    project = Project(tmp_path, settings, monkeypatch)
    yield project
    project.end()
