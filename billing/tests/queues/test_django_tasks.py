"""Django's own tasks for real: django-tasks-db's worker, as docs/queues.md sets it up."""

import pytest
from django.db import connection

from billing import lanes, queues

from . import story

pytest.importorskip("django.tasks", reason="Django's own tasks came with Django 6.0")
pytest.importorskip("django_tasks_db", reason="no backend with a worker here: pip install django-tasks-db")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]


@pytest.fixture
def tasks(project):
    project.follow("Django's tasks")
    from django_tasks_db.models import DBTaskResult

    with connection.schema_editor() as editor:
        editor.create_model(DBTaskResult)
    yield DBTaskResult
    project.kill()
    with connection.schema_editor() as editor:
        editor.delete_model(DBTaskResult)


def test_with_djangos_tasks_a_purchase_is_applied_once_whatever_happens(world, project, tasks):
    story.tell(world, project, "db_worker", "--schedule-only")


def test_a_drain_is_a_task_of_djangos(tasks):
    queues.prepare()
    lanes.wake("cus_1")
    [result] = tasks.objects.all()
    assert result.args_kwargs["args"] == [lanes.claims.DRAIN, "cus_1"]
