"""The processes of one storm: a sandbox as Stripe, a door, and workers to kill, on the database of this process."""

import http.client
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server

from django.conf import settings
from django.db import connection
from django.test import override_settings

from billing.catalogue import definitions, packs
from billing.setup import publishing, publishing_overage, publishing_packs

from . import goods
from .stripe import KEY, Stripe
from .workers import Workers
from .world import World

SECRET = "whsec_convergence"
ROOT = settings.BASE_DIR
DEBIT_DAYS = 2
PATIENCE_SECONDS = 120


@dataclass
class Site:
    stripe: Stripe
    door: str
    workers: Workers
    folder: Path

    def new_world(self, seed):
        """Both sides empty, with the plans on sale."""
        self.stripe.control("reset", seed=seed)
        self.stripe.control("settings", debit_days=DEBIT_DAYS)
        (self.folder / "mailbox").unlink(missing_ok=True)
        goods.make_table()
        empty_tables()
        definitions.update_plans()
        packs.update_packs()
        for what in (publishing, publishing_packs, publishing_overage):
            what.publish()
        return World.begun(self.stripe)


def empty_tables():
    """As Django's flush, without the signals after it, which take longer than everything else."""
    names = [name for name in connection.introspection.table_names() if name != "django_migrations"]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, names))} CASCADE")


@contextmanager
def running(folder, workers=3):
    """All of it, and this process' own Stripe calls sent the same way."""
    with ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("wb"))
        sandbox = stack.enter_context(_process(["stripe_sandbox", "--port", "0"], os.environ, log, subprocess.PIPE))
        address = sandbox.stdout.readline().split()[-1].decode()
        env = _environment(address, folder)
        door = f"127.0.0.1:{_free_port()}"
        options = ["--bind", door, "--worker-class", "gthread", "--threads", "4", "--log-level", "warning"]
        stack.enter_context(_process(["gunicorn", "django.core.wsgi:get_wsgi_application()", *options], env, log))
        nursery = Workers(env, log)
        stack.callback(nursery.close)
        stack.enter_context(override_settings(**_ours(address, folder)))
        goods.connect()
        _until_it_answers(door)
        yield Site(Stripe(address), door, nursery, folder)


def _environment(stripe, folder):
    database = connection.settings_dict
    socket_folder = database["OPTIONS"].get("host") or database["HOST"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.tests.convergence.settings",
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={socket_folder}",
        "STRIPE_API_BASE": stripe,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "MAILBOX": str(folder / "mailbox"),
    }


def _ours(stripe, folder):
    from . import settings as theirs

    names = ("BILLING_PLANS", "BILLING_PACKS", "BILLING_STRIPE_CIRCUIT_SECONDS", "BILLING_STRIPE_RATE", "Q_CLUSTER")
    return {
        **{name: getattr(theirs, name) for name in names},
        **theirs.MAIL,
        "DEBUG": False,
        "MAILBOX": str(folder / "mailbox"),
        "STRIPE_API_BASE": stripe,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_TEST_SECRET_KEY": KEY,
        "BILLING_CLOCK": "billing.clock.sandbox_now",
    }


@contextmanager
def _process(module, env, log, stdout=subprocess.DEVNULL):
    running = subprocess.Popen([sys.executable, "-m", *module], env=env, cwd=ROOT, stdout=stdout, stderr=log)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(20)
        if running.stdout:
            running.stdout.close()


def _free_port():
    with create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _until_it_answers(door):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            asked = http.client.HTTPConnection(door, timeout=5)
            asked.request("GET", "/healthz")
            asked.getresponse().read()
            asked.close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the door does not answer")
