"""What is wrong with the queue is named, with what to set."""

import pytest

from billing.queues import chosen
from billing.setup.checks import CHECKS, queue


def found():
    return {said.id: said for check in CHECKS for said in check() if said.id != "billing.W001"}


@pytest.mark.parametrize("name", ["Celery", "redis", "", None, 7, ["rq"]])
def test_a_queue_that_there_is_not_is_named_with_those_there_are(settings, name):
    settings.BILLING_QUEUE = name
    said = found()
    assert said.keys() == {"billing.E160"}
    assert "'celery'" in said["billing.E160"].hint


def test_a_package_that_is_not_installed_is_named_with_what_to_install(settings, monkeypatch):
    settings.BILLING_QUEUE = "celery"
    monkeypatch.setattr(chosen, "find_spec", lambda name: None)
    [said] = queue.check_package()
    assert (said.id, "pip install 'django-stripe-lanes[celery]'" in said.hint) == ("billing.E162", True)


def test_rq_needs_a_function_that_returns_its_queue(settings):
    settings.BILLING_QUEUE = "rq"
    assert "billing.E163" in found()
    settings.BILLING_RQ_QUEUE = "no.such.function"
    assert found().keys() == {"billing.E161"}


def test_djangos_tasks_need_a_backend_that_has_a_worker(settings, monkeypatch):
    immediate = pytest.importorskip("django.tasks.backends.immediate", reason="Django's own tasks came with Django 6.0")
    settings.BILLING_QUEUE = "tasks"
    assert [said.id for said in queue.check_tasks()] == ["billing.E164"]
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    assert queue.check_tasks() == []
    derived = type("OurImmediateBackend", (immediate.ImmediateBackend,), {})
    monkeypatch.setattr(immediate, "OurImmediateBackend", derived, raising=False)
    settings.TASKS = {"default": {"BACKEND": f"{immediate.__name__}.OurImmediateBackend"}}
    [said] = queue.check_tasks()
    assert "OurImmediateBackend has no worker" in said.msg


@pytest.mark.parametrize("name", ["celery", "none"])
def test_another_queue_needs_no_settings_of_django_q2(settings, name):
    settings.BILLING_QUEUE = name
    del settings.Q_CLUSTER
    assert found() == {}


def test_celery_that_runs_tasks_inside_requests_is_named(settings):
    celery = pytest.importorskip("celery")
    settings.BILLING_QUEUE = "celery"
    assert queue.check_runs_elsewhere() == []
    app = celery.current_app._get_current_object()
    app.conf.task_always_eager = True
    try:
        [said] = queue.check_runs_elsewhere()
        assert (said.id, "task_always_eager" in said.msg) == ("billing.W012", True)
        settings.BILLING_QUEUE = "none"
        assert queue.check_runs_elsewhere() == []
    finally:
        app.conf.task_always_eager = False


def rq_queue(**options):
    from redis import Redis
    from rq import Queue

    return Queue("billing", connection=Redis.from_url("redis://127.0.0.1:9/0"), **options)


def rq_at_once():
    return rq_queue(is_async=False)


def rq_of_nothing():
    return None


def rq_that_raises():
    raise KeyError("RQ_QUEUES")


@pytest.mark.parametrize(
    ("function", "check", "said"),
    [
        ("rq_queue", None, ""),
        ("rq_at_once", "billing.W012", "is_async=False"),
        ("rq_of_nothing", "billing.E240", "returns None"),
        ("rq_that_raises", "billing.E240", "raises KeyError: 'RQ_QUEUES'"),
    ],
)
def test_rqs_queue_is_looked_at_without_asking_redis(settings, function, check, said):
    pytest.importorskip("rq")
    settings.BILLING_QUEUE, settings.BILLING_RQ_QUEUE = "rq", f"{__name__}.{function}"
    assert {name: said in message.msg for name, message in found().items()} == ({check: True} if check else {})
    settings.BILLING_QUEUE = "none"
    assert found() == {}
